/** The SQL of the maintenance roles. */
@NullMarked
package dev.millpond.engine.maintenance.store;

import org.jspecify.annotations.NullMarked;
