/** The rows of the audit. */
@NullMarked
package dev.millpond.engine.audit.store;

import org.jspecify.annotations.NullMarked;
