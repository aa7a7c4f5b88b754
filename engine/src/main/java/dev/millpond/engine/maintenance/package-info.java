/** Background roles under one leader lease; one file each. */
@NullMarked
package dev.millpond.engine.maintenance;

import org.jspecify.annotations.NullMarked;
