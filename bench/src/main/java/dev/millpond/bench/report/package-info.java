/** What came out of a run: table, JSON, HTML. */
@NullMarked
package dev.millpond.bench.report;

import org.jspecify.annotations.NullMarked;
