/** What the campaign asks PostgreSQL. */
@NullMarked
package dev.millpond.chaos.store;

import org.jspecify.annotations.NullMarked;
