/** The SQL of the books check. */
@NullMarked
package dev.millpond.engine.books.store;

import org.jspecify.annotations.NullMarked;
