/** The checker of every promise: each acknowledged job has one holder or one outcome. */
@NullMarked
package dev.millpond.engine.books;

import org.jspecify.annotations.NullMarked;
