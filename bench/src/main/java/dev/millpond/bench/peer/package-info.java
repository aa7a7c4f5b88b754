/**
 * Other job queues for Java, measured as Millpond is: the port {@link
 * dev.millpond.bench.peer.Peer}, whose implementations are in a module that is built on request
 * only.
 */
@NullMarked
package dev.millpond.bench.peer;

import org.jspecify.annotations.NullMarked;
