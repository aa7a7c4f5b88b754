/** The kinds of faults, and which of them a seed gives in which order. */
@NullMarked
package dev.millpond.chaos.fault;

import org.jspecify.annotations.NullMarked;
