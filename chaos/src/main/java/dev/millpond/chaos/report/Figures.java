package dev.millpond.chaos.report;

import dev.millpond.chaos.campaign.CampaignFolder.Healed;
import dev.millpond.chaos.campaign.Recovery;
import dev.millpond.chaos.campaign.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * Faults of one kind together.
 *
 * @param faults of the kind
 * @param counted those that hit jobs in flight
 * @param hit jobs that they hit
 * @param usedUp attempts that they have used up
 * @param again of jobs that were hit: until their next start
 * @param submit until the next submit was acknowledged
 * @param end until the next job ended
 * @param dispatch until jobs started at half of the usual rate again, in a campaign with a backlog
 * @param pause the longest time without a start, in such a campaign
 * @param notBack faults after which that was not seen, which are ten seconds in {@code dispatch}
 * @param submitShare median of the rates of submits during faults that lasted for some seconds, as
 *     shares of those before; -1 without such
 * @param endShare the same of jobs that ended
 */
public record Figures(
    long faults,
    long counted,
    long hit,
    long usedUp,
    Spread again,
    Spread submit,
    Spread end,
    Spread dispatch,
    Spread pause,
    long notBack,
    double submitShare,
    double endShare) {
  /**
   * Milliseconds; all 0 without any.
   *
   * @param count how many there are
   */
  public record Spread(long count, long median, long p99, long most) {
    static Spread of(List<Long> millis) {
      if (millis.isEmpty()) {
        return new Spread(0, 0, 0, 0);
      }
      List<Long> sorted = millis.stream().sorted().toList();
      return new Spread(sorted.size(), at(sorted, 0.5), at(sorted, 0.99), sorted.getLast());
    }

    /** Nearest rank. */
    private static long at(List<Long> sorted, double share) {
      return sorted.get((int) Math.ceil(share * sorted.size()) - 1);
    }
  }

  /** By kind, in the order of their keys. */
  public static Map<String, Figures> of(Result result) {
    Map<String, List<Healed>> kinds = new TreeMap<>();
    for (Healed healed : result.faults()) {
      kinds.computeIfAbsent(healed.struck().kind(), kind -> new ArrayList<>()).add(healed);
    }
    Map<String, Figures> figures = new TreeMap<>();
    kinds.forEach((kind, faults) -> figures.put(kind, of(faults)));
    return figures;
  }

  private static Figures of(List<Healed> faults) {
    List<Healed> counted = faults.stream().filter(healed -> healed.struck().counts()).toList();
    return new Figures(
        faults.size(),
        counted.size(),
        counted.stream().mapToLong(healed -> healed.struck().hit().count()).sum(),
        faults.stream().mapToLong(Healed::usedUp).sum(),
        Spread.of(
            counted.stream().flatMap(healed -> healed.recovery().againMillis().stream()).toList()),
        Spread.of(each(counted, Recovery::submitMillis)),
        Spread.of(each(counted, Recovery::endMillis)),
        Spread.of(each(counted, Recovery::dispatchMillis)),
        Spread.of(each(counted, Recovery::pauseMillis)),
        counted.stream().filter(healed -> healed.recovery().notBack()).count(),
        median(counted, Recovery::submitShare),
        median(counted, Recovery::endShare));
  }

  private static double median(List<Healed> faults, ToDoubleFunction<Recovery> what) {
    double[] shares =
        faults.stream()
            .mapToDouble(healed -> what.applyAsDouble(healed.recovery()))
            .filter(share -> share >= 0)
            .sorted()
            .toArray();
    return shares.length == 0 ? -1 : shares[(shares.length - 1) / 2];
  }

  private static List<Long> each(List<Healed> faults, ToLongFunction<Recovery> what) {
    return faults.stream()
        .map(healed -> what.applyAsLong(healed.recovery()))
        .filter(millis -> millis >= 0)
        .toList();
  }
}
