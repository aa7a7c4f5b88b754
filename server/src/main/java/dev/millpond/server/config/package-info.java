/** Configuration keys and where their values come from. */
@NullMarked
package dev.millpond.server.config;

import org.jspecify.annotations.NullMarked;
