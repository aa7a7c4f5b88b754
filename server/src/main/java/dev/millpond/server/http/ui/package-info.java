/** The dashboard's files. */
@NullMarked
package dev.millpond.server.http.ui;

import org.jspecify.annotations.NullMarked;
