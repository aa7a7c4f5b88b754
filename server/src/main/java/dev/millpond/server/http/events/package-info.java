/** What the fleet is doing, once a second for all who look. */
@NullMarked
package dev.millpond.server.http.events;

import org.jspecify.annotations.NullMarked;
