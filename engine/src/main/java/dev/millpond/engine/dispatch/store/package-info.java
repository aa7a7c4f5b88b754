/** The SQL of dispatch rows shared by the writer and the maintenance roles. */
@NullMarked
package dev.millpond.engine.dispatch.store;

import org.jspecify.annotations.NullMarked;
