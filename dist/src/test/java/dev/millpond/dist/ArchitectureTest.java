package dev.millpond.dist;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The dependency directions and names of docs/ARCHITECTURE.md, checked on the compiled classes of
 * all modules.
 */
class ArchitectureTest {
  private static final JavaClasses MILLPOND =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.millpond");

  /** The one place in the API where a user's code meets JDBC: transactional completion. */
  private static final Set<String> API_WITH_CONNECTION = Set.of("dev.millpond.api.JobContext");

  private static final List<String> BANNED_SUFFIXES =
      List.of("Util", "Utils", "Helper", "Helpers", "Manager", "Impl", "Constants");

  private static void check(ArchRule rule) {
    rule.check(MILLPOND);
  }

  @Test
  void everyModuleIsLookedAt() {
    Set<String> modules =
        MILLPOND.stream()
            .map(type -> type.getPackageName().split("\\.", -1)[2])
            .collect(Collectors.toSet());
    assertThat(modules)
        .contains("api", "embedded", "engine", "server", "examples", "bench", "chaos", "scenarios");
  }

  @Test
  void theApiNeedsOnlyTheJdkAndJSpecify() {
    check(
        classes()
            .that(resideInAPackage("dev.millpond.api.."))
            .should()
            .onlyDependOnClassesThat(
                resideInAnyPackage("dev.millpond.api..", "java..", "org.jspecify.annotations..")));
  }

  @Test
  void theEngineKnowsNothingAboveIt() {
    check(
        noClasses()
            .that(resideInAPackage("dev.millpond.engine.."))
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(
                    "dev.millpond.embedded..",
                    "dev.millpond.faults..",
                    "dev.millpond.server..",
                    "dev.millpond.examples..",
                    "dev.millpond.bench..",
                    "dev.millpond.chaos..",
                    "dev.millpond.scenarios..")));
  }

  @Test
  void theEmbeddedServersKnowNothingOfMillpond() {
    check(
        noClasses()
            .that(resideInAPackage("dev.millpond.embedded.."))
            .should()
            .dependOnClassesThat(
                resideInAPackage("dev.millpond..")
                    .and(DescribedPredicate.not(resideInAPackage("dev.millpond.embedded..")))));
  }

  @Test
  void theServerDoesNotKnowItsExamplesOrTheBench() {
    check(
        noClasses()
            .that(resideInAPackage("dev.millpond.server.."))
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(
                    "dev.millpond.examples..",
                    "dev.millpond.bench..",
                    "dev.millpond.chaos..",
                    "dev.millpond.scenarios..")));
  }

  @Test
  void theExamplesUseWhatAStrangerWouldUse() {
    check(
        noClasses()
            .that(resideInAPackage("dev.millpond.examples.."))
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(
                    "dev.millpond.embedded..", "dev.millpond.server..", "dev.millpond.bench..")));
  }

  @Test
  void jdbcStaysInTheStores() {
    check(
        noClasses()
            .that(
                resideInAnyPackage(
                    "dev.millpond.api..", "dev.millpond.engine..", "dev.millpond.server.."))
            .and(DescribedPredicate.not(mayUseJdbc()))
            .should()
            .dependOnClassesThat(resideInAPackage("java.sql..")));
  }

  @Test
  void theRedisClientStaysInTheStreams() {
    check(
        noClasses()
            .that(DescribedPredicate.not(resideInAPackage("..streams..")))
            .should()
            .dependOnClassesThat(resideInAPackage("redis.clients..")));
  }

  @Test
  void springStaysInTheServer() {
    // Beside it, an application of Spring's own, with which the server is compared.
    check(
        noClasses()
            .that(
                DescribedPredicate.not(
                    resideInAnyPackage("dev.millpond.server..", "dev.millpond.bench.http..")))
            .should()
            .dependOnClassesThat(resideInAPackage("org.springframework..")));
  }

  @Test
  void theEnginesFeaturesFormNoCycle() {
    check(slices().assignedFrom(new EngineFeatures()).should().beFreeOfCycles());
  }

  @Test
  void packagesAreNamedAfterFeatures() {
    check(
        noClasses()
            .should()
            .resideInAnyPackage(
                "..controller..",
                "..service..",
                "..repository..",
                "..dto..",
                "..entity..",
                "..util..",
                "..utils..",
                "..impl..",
                "..common.."));
  }

  @Test
  void namesSayWhatAThingIs() {
    check(
        noClasses()
            .should()
            .haveNameMatching(".*(" + String.join("|", BANNED_SUFFIXES) + ")(\\$.*)?"));
  }

  private static DescribedPredicate<JavaClass> mayUseJdbc() {
    return resideInAnyPackage("..store..", "dev.millpond.engine.dispatch.postgres..")
        .or(outermostIs("Transactions"))
        .or(
            DescribedPredicate.describe(
                "API types with a Connection",
                type -> API_WITH_CONNECTION.contains(outermost(type).getName())));
  }

  private static DescribedPredicate<JavaClass> outermostIs(String simpleName) {
    return DescribedPredicate.describe(
        "class " + simpleName, type -> outermost(type).getSimpleName().equals(simpleName));
  }

  private static JavaClass outermost(JavaClass type) {
    JavaClass outer = type;
    while (outer.getEnclosingClass().isPresent()) {
      outer = outer.getEnclosingClass().get();
    }
    return outer;
  }

  /**
   * One slice per feature package of the engine, its store included. Two exceptions: the engine's
   * root package holds the façade and the configuration, and {@code lifecycle} wires the features
   * while its store serves all of them.
   */
  private static final class EngineFeatures implements SliceAssignment {
    private static final String ROOT = "dev.millpond.engine.";

    @Override
    public SliceIdentifier getIdentifierOf(JavaClass type) {
      String name = type.getPackageName();
      if (!name.startsWith(ROOT)) {
        return SliceIdentifier.ignore();
      }
      if (name.startsWith(ROOT + "lifecycle.store")) {
        return SliceIdentifier.of("lifecycle.store");
      }
      String feature = name.substring(ROOT.length());
      int end = feature.indexOf('.');
      return SliceIdentifier.of(end < 0 ? feature : feature.substring(0, end));
    }

    @Override
    public String getDescription() {
      return "the engine's features";
    }
  }
}
