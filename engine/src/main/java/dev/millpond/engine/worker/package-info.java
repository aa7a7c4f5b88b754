/** Runs jobs: claims batches, keeps slots busy, ends attempts, says that it lives. */
@NullMarked
package dev.millpond.engine.worker;

import org.jspecify.annotations.NullMarked;
