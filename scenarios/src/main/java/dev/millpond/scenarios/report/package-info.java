/** What a scenario has shown. */
@NullMarked
package dev.millpond.scenarios.report;

import org.jspecify.annotations.NullMarked;
