/**
 * What can go wrong between a process and its servers, on purpose. {@link
 * dev.millpond.faults.FaultProxy} stands before a PostgreSQL or a Redis and passes everything on,
 * until it is told otherwise: slower, in slices, not at all ({@link dev.millpond.faults.Way}), no
 * longer ({@link dev.millpond.faults.Ending}), or with a {@link dev.millpond.faults.Fault} at one
 * statement or command of the protocol ({@link dev.millpond.faults.Step}).
 *
 * <p>For the engine's tests and the fault campaign. No part of the product depends on it, and
 * nothing in the product knows of it.
 */
@NullMarked
package dev.millpond.faults;

import org.jspecify.annotations.NullMarked;
