/** Submits jobs and shows them. */
@NullMarked
package dev.millpond.server.http.jobs;

import org.jspecify.annotations.NullMarked;
