/**
 * Runs jobs in child processes, one at a time in each, so that what a handler does to its process
 * it does to nobody else. First file to open: {@link
 * dev.millpond.engine.worker.forked.ForkedExecutor}; the child's side is {@link
 * dev.millpond.engine.worker.forked.ChildMain}.
 */
@NullMarked
package dev.millpond.engine.worker.forked;

import org.jspecify.annotations.NullMarked;
