/** Makes the caches that start a JVM of Millpond faster; a program of its own for the launcher. */
@NullMarked
package dev.millpond.server.training;

import org.jspecify.annotations.NullMarked;
