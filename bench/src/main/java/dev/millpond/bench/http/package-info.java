/**
 * What is measured over HTTP: a server of its own, an empty endpoint beside it, a load for both.
 */
@NullMarked
package dev.millpond.bench.http;

import org.jspecify.annotations.NullMarked;
