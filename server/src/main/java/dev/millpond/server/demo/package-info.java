/**
 * {@code millpond demo}: embedded servers, processes under a supervisor, real work, and a check of
 * every output. {@link dev.millpond.server.demo.DemoCommand} is its story; Spring runs in the child
 * processes only.
 */
@NullMarked
package dev.millpond.server.demo;

import org.jspecify.annotations.NullMarked;
