/** The handlers of {@code millpond demo}; workers load them from this module's jar. */
@NullMarked
package dev.millpond.examples.demo;

import org.jspecify.annotations.NullMarked;
