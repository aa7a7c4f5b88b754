package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.store.Tables;

/**
 * What a fault can look at and touch.
 *
 * @param fleet processes and servers
 * @param tables PostgreSQL, asked directly
 */
public record Scene(Fleet fleet, Hands hands, Tables tables) {}
