/** How a server writes its log: each line knows the job in hand (ADR 38). */
@NullMarked
package dev.millpond.server.logs;

import org.jspecify.annotations.NullMarked;
