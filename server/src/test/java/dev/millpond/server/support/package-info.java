/** What several tests need. */
@NullMarked
package dev.millpond.server.support;

import org.jspecify.annotations.NullMarked;
