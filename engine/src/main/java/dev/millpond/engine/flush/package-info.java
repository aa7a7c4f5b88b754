/** The writer: groups what a node has to write into one commit after the other, in two lanes. */
@NullMarked
package dev.millpond.engine.flush;

import org.jspecify.annotations.NullMarked;
