/** The dashboard in a real browser. */
@NullMarked
package dev.millpond.server.browser;

import org.jspecify.annotations.NullMarked;
