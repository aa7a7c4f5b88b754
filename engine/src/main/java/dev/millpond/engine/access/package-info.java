/** Who may call: keys, sessions, and how every process follows them (ADR 35). */
@NullMarked
package dev.millpond.engine.access;

import org.jspecify.annotations.NullMarked;
