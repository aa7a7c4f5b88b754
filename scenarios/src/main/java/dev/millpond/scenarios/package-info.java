/** {@code millpond scenario}: flow control shown on a fleet of real processes. */
@NullMarked
package dev.millpond.scenarios;

import org.jspecify.annotations.NullMarked;
