/** The job queue without HTTP: submit, flush, dispatch, run, maintain. */
@NullMarked
package dev.millpond.engine;

import org.jspecify.annotations.NullMarked;
