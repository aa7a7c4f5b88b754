/** Lists dead letters and redrives them. */
@NullMarked
package dev.millpond.server.http.deadletters;

import org.jspecify.annotations.NullMarked;
