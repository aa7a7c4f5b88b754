/** What is measured, on a bed of its own, and the figures of it. */
@NullMarked
package dev.millpond.bench.scenario;

import org.jspecify.annotations.NullMarked;
