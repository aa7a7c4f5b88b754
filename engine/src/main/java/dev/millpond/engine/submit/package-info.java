/** From a request to a commit: rules of a job, ids, batches formed by expected work. */
@NullMarked
package dev.millpond.engine.submit;

import org.jspecify.annotations.NullMarked;
