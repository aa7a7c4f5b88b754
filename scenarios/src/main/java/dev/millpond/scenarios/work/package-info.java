/** What the workers of a scenario do, and write down. */
@NullMarked
package dev.millpond.scenarios.work;

import org.jspecify.annotations.NullMarked;
