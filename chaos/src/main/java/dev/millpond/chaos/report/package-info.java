/** What came out, for people and for programs. */
@NullMarked
package dev.millpond.chaos.report;

import org.jspecify.annotations.NullMarked;
