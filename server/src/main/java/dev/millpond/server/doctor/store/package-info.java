/** What doctor asks PostgreSQL. */
@NullMarked
package dev.millpond.server.doctor.store;

import org.jspecify.annotations.NullMarked;
