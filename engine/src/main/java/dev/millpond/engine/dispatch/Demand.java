package dev.millpond.engine.dispatch;

import java.util.List;
import java.util.Set;

/**
 * What a worker has room for.
 *
 * @param lanes that may be claimed from, most wanted first
 * @param kinds that it knows
 * @param batches at most, of one lane
 */
public record Demand(List<Lane> lanes, Set<String> kinds, int batches) {}
