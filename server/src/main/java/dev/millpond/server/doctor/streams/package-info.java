/** What doctor asks Redis. */
@NullMarked
package dev.millpond.server.doctor.streams;

import org.jspecify.annotations.NullMarked;
