/** Texts of handlers, made fit to be stored. */
@NullMarked
package dev.millpond.engine.worker.text;

import org.jspecify.annotations.NullMarked;
