//! Which adapters each binary makes, and which of their methods its step calls.

use crate::repository;
use std::collections::{BTreeMap, BTreeSet};

/// A binary, what it makes from `aws::start::Start` and in the place of an application, and the files in which its step calls ports.
pub struct Wiring {
    /// The binary.
    pub binary: &'static str,
    /// Methods of `Start`, and of the place of an application (`at`).
    pub makes: &'static [&'static str],
    /// Files of the step and of what it shares with others.
    pub files: &'static [&'static str],
}

/// What is made in the place of an application, with its clients and nothing of the environment.
pub const OF_A_PLACE: [&str; 7] =
    ["actuator", "cost_actuator", "estates", "inventory", "prices", "telemetry", "unit_prices"];

const CARE: &str = "functions/lifecycle/src/care.rs";
const RECORDS: &str = "shared/steps/src/records.rs";
const SUCCESSION: &str = "functions/lifecycle/src/succession.rs";
const OBSERVE: &str = "shared/steps/src/observe.rs";
const ACT: &str = "shared/steps/src/act.rs";
/// Looks into databases, as the user that reads.
const READS_DATABASES: &str = "shared/postgres/src/read.rs";
/// Changes them, as the user that owns the tables.
const CHANGES_DATABASES: &str = "shared/postgres/src/actuator.rs";
/// Looks at caches, as the user that reads.
const READS_CACHES: &str = "shared/redis/src/read.rs";

/// Every binary.
pub const TABLE: &[Wiring] = &[
    Wiring {
        binary: "lifecycle-dispatch",
        makes: &[
            "settings",
            "home",
            "inventory",
            "places",
            "episodes",
            "leases",
            "starter",
            "performance_starter",
            "dead_letters",
        ],
        files: &["functions/lifecycle/src/dispatch.rs", SUCCESSION],
    },
    Wiring {
        binary: "lifecycle-resolve",
        makes: &["settings", "inventory", "watch", "notifier", "silence_s"],
        files: &["functions/lifecycle/src/resolve.rs", "functions/lifecycle/src/silence.rs"],
    },
    Wiring {
        binary: "lifecycle-begin",
        makes: &["settings", "leases", "liveness", "executions", "journal", "circuit", "approvals"],
        files: &["functions/lifecycle/src/begin.rs", CARE],
    },
    Wiring {
        binary: "lifecycle-rollback",
        makes: &["settings", "leases", "liveness", "executions", "journal", "artifacts"],
        files: &["functions/lifecycle/src/rollback.rs", CARE],
    },
    Wiring {
        binary: "lifecycle-explain",
        makes: &["executions", "journal", "artifacts"],
        files: &["functions/lifecycle/src/explain/mod.rs"],
    },
    Wiring {
        binary: "lifecycle-ask",
        makes: &[
            "settings",
            "page_url",
            "executions",
            "artifacts",
            "approvals",
            "signing_key",
            "episodes",
            "leases",
            "starter",
            "notifier",
        ],
        files: &["functions/lifecycle/src/ask.rs", SUCCESSION],
    },
    Wiring {
        binary: "lifecycle-answer",
        makes: &["settings", "approvals", "executions", "leases"],
        files: &["functions/lifecycle/src/answer.rs"],
    },
    Wiring {
        binary: "lifecycle-page",
        makes: &["approvals", "waker", "signing_key", "runs", "executions"],
        files: &[
            "functions/lifecycle/src/page/mod.rs",
            "functions/lifecycle/src/page/answering.rs",
            "functions/lifecycle/src/page/web.rs",
            "functions/lifecycle/src/page/widget.rs",
        ],
    },
    Wiring {
        binary: "lifecycle-escalate",
        makes: &["executions", "journal", "artifacts", "notifier"],
        files: &["functions/lifecycle/src/escalate.rs"],
    },
    Wiring {
        binary: "lifecycle-finish",
        makes: &["executions", "approvals", "journal", "leases", "episodes", "starter", "watch", "notifier"],
        files: &["functions/lifecycle/src/finish.rs", SUCCESSION],
    },
    Wiring {
        binary: "health-monitor",
        makes: &["settings", "places", "inventory", "telemetry", "prices", "leases", "artifacts"],
        files: &["functions/health/src/bin/health-monitor.rs", "functions/health/src/monitor.rs", OBSERVE, RECORDS],
    },
    Wiring {
        binary: "health-analyze",
        makes: &["settings", "artifacts", "executions", "journal"],
        files: &["functions/health/src/analyze.rs", RECORDS],
    },
    Wiring {
        binary: "health-optimize",
        makes: &[
            "settings",
            "places",
            "actuator",
            "journal",
            "leases",
            "switch",
            "approvals",
            "calendars",
            "circuit",
            "artifacts",
            "executions",
            "telemetry",
        ],
        files: &[
            "functions/health/src/bin/health-optimize.rs",
            ACT,
            RECORDS,
            "shared/engine/src/act/mod.rs",
            "shared/engine/src/act/step.rs",
            "shared/engine/src/act/context.rs",
            "shared/engine/src/facts.rs",
            "shared/engine/src/lease.rs",
            "shared/engine/src/restraints.rs",
            "shared/engine/src/settle/mod.rs",
            "shared/engine/src/undo.rs",
        ],
    },
    Wiring {
        binary: "health-validate",
        makes: &["settings", "places", "inventory", "telemetry", "leases", "artifacts", "executions", "journal"],
        files: &[
            "functions/health/src/bin/health-validate.rs",
            "functions/health/src/validate.rs",
            "functions/health/src/residue.rs",
            "functions/health/src/earlier.rs",
            OBSERVE,
            RECORDS,
            "shared/engine/src/verdict.rs",
        ],
    },
    Wiring {
        binary: "health-iterate",
        makes: &["settings", "executions"],
        files: &["functions/health/src/iterate.rs", RECORDS],
    },
    Wiring {
        binary: "cost-analyze",
        makes: &[
            "settings",
            "places",
            "billing",
            "leases",
            "artifacts",
            "inventory",
            "telemetry",
            "estates",
            "unit_prices",
        ],
        files: &[
            "functions/cost/src/bin/cost-analyze.rs",
            "functions/cost/src/analyze.rs",
            "functions/cost/src/bill.rs",
            "functions/cost/src/history.rs",
            "functions/cost/src/memory.rs",
            "functions/cost/src/traffic.rs",
            OBSERVE,
            RECORDS,
        ],
    },
    Wiring {
        binary: "cost-identify",
        makes: &["settings", "artifacts", "executions", "journal", "savings_book", "notifier"],
        files: &[
            "functions/cost/src/identify.rs",
            "functions/cost/src/bill_alert.rs",
            "functions/cost/src/digest.rs",
            "functions/cost/src/savings.rs",
            RECORDS,
        ],
    },
    Wiring {
        binary: "cost-implement",
        makes: &[
            "settings",
            "places",
            "cost_actuator",
            "journal",
            "leases",
            "switch",
            "approvals",
            "calendars",
            "circuit",
            "artifacts",
            "executions",
            "telemetry",
        ],
        files: &[
            "functions/cost/src/bin/cost-implement.rs",
            ACT,
            RECORDS,
            "shared/engine/src/act/mod.rs",
            "shared/engine/src/act/step.rs",
            "shared/engine/src/act/context.rs",
            "shared/engine/src/facts.rs",
            "shared/engine/src/lease.rs",
            "shared/engine/src/restraints.rs",
            "shared/engine/src/settle/mod.rs",
            "shared/engine/src/undo.rs",
        ],
    },
    Wiring {
        binary: "cost-monitor",
        makes: &["settings", "places", "inventory", "telemetry", "leases", "artifacts", "executions", "journal"],
        files: &[
            "functions/cost/src/bin/cost-monitor.rs",
            "functions/cost/src/monitor.rs",
            OBSERVE,
            RECORDS,
            "shared/engine/src/verdict.rs",
        ],
    },
    Wiring {
        binary: "cost-survey",
        makes: &["executions", "artifacts", "notifier"],
        files: &["functions/cost/src/survey.rs"],
    },
    Wiring { binary: "cost-iterate", makes: &["executions"], files: &["functions/cost/src/iterate.rs", RECORDS] },
    Wiring {
        binary: "performance-profile",
        makes: &["settings", "places", "inventory", "telemetry", "leases", "artifacts", "secrets"],
        files: &[
            "functions/performance/src/bin/performance-profile.rs",
            "functions/performance/src/profile.rs",
            "functions/performance/src/pages.rs",
            OBSERVE,
            RECORDS,
            READS_DATABASES,
            READS_CACHES,
        ],
    },
    Wiring {
        binary: "performance-identify",
        makes: &["settings", "artifacts", "executions", "journal", "secrets"],
        files: &["functions/performance/src/identify.rs", RECORDS, READS_DATABASES],
    },
    Wiring {
        binary: "performance-apply",
        makes: &[
            "settings",
            "places",
            "secrets",
            "journal",
            "leases",
            "switch",
            "approvals",
            "calendars",
            "circuit",
            "artifacts",
            "executions",
            "telemetry",
        ],
        files: &[
            "functions/performance/src/bin/performance-apply.rs",
            ACT,
            RECORDS,
            CHANGES_DATABASES,
            "shared/engine/src/act/mod.rs",
            "shared/engine/src/act/step.rs",
            "shared/engine/src/act/context.rs",
            "shared/engine/src/facts.rs",
            "shared/engine/src/lease.rs",
            "shared/engine/src/restraints.rs",
            "shared/engine/src/settle/mod.rs",
            "shared/engine/src/undo.rs",
        ],
    },
    Wiring {
        binary: "performance-validate",
        makes: &[
            "settings",
            "places",
            "inventory",
            "telemetry",
            "leases",
            "artifacts",
            "executions",
            "journal",
            "secrets",
        ],
        files: &[
            "functions/performance/src/bin/performance-validate.rs",
            "functions/performance/src/validate.rs",
            "functions/performance/src/profile.rs",
            "functions/performance/src/pages.rs",
            OBSERVE,
            RECORDS,
            READS_DATABASES,
            "shared/engine/src/verdict.rs",
        ],
    },
    Wiring {
        binary: "performance-iterate",
        makes: &["settings", "executions", "artifacts"],
        files: &["functions/performance/src/iterate.rs", RECORDS],
    },
];

/// Modules that calculate or only lend a type: a step that uses one calls no more ports for it. By the file that uses it.
const WITHOUT_CALLS: &[(&str, &[&str])] = &[
    ("functions/lifecycle/src/", &["alarm", "link", "names", "story", "words"]),
    ("functions/lifecycle/src/page/", &["answer", "ask"]),
    ("functions/lifecycle/src/begin.rs", &["resolve"]),
    ("functions/cost/src/identify.rs", &["analyze"]),
    ("functions/cost/src/savings.rs", &["analyze"]),
    ("functions/cost/src/survey.rs", &["digest"]),
    ("functions/performance/src/identify.rs", &["caches", "pages", "profile"]),
    ("functions/performance/src/validate.rs", &["identify"]),
];

impl Wiring {
    /// The row of a binary.
    pub fn of(binary: &str) -> &'static Self {
        TABLE
            .iter()
            .find(|row| row.binary == binary)
            .unwrap_or_else(|| panic!("{binary} is not in the table of wirings"))
    }

    /// Adapters by the name of their module, without what only reads a variable.
    pub fn adapters(&self) -> BTreeSet<&'static str> {
        let adapter = |made: &&'static str| match *made {
            "settings" => Some("config_source"),
            "home" | "page_url" | "silence_s" => None,
            same => Some(same),
        };
        self.makes.iter().filter_map(adapter).collect()
    }

    /// Whether it lets itself into databases as the user that owns the tables.
    pub fn owns_tables(&self) -> bool {
        self.files.contains(&CHANGES_DATABASES)
    }

    /// Methods of an adapter that the step calls.
    pub fn calls(&self, adapter: &str, methods: &[&'static str]) -> BTreeSet<&'static str> {
        if adapter == "config_source" {
            return BTreeSet::from(["fetch"]);
        }
        let code: String = self.files.iter().map(|file| repository::code(file)).collect();
        // Each cycle has an actuator of its own behind the same port.
        let port = if adapter == "cost_actuator" { "actuator" } else { adapter };
        let is_called = |method: &str| {
            code.contains(&format!("{port}.{method}("))
                || match (adapter, method) {
                    ("telemetry", "alarms") => code.contains("alarms.alarms("),
                    ("artifacts", "put") => code.contains("documents::put("),
                    ("artifacts", "get") => code.contains("documents::get(") || code.contains("documents::need("),
                    _ => false,
                }
        };
        methods.iter().copied().filter(|method| is_called(method)).collect()
    }
}

/// Source of every binary, by name.
fn binaries() -> BTreeMap<String, String> {
    let mut binaries = BTreeMap::new();
    for package in ["lifecycle", "health", "cost", "performance"] {
        let directory = format!("functions/{package}/src/bin");
        for name in repository::names(&directory, ".rs") {
            let code = repository::code(&format!("{directory}/{name}"));
            binaries.insert(name.trim_end_matches(".rs").to_owned(), code);
        }
    }
    binaries
}

#[test]
fn every_package_of_functions_is_looked_at() {
    // The harness plays them in tests and has no binary.
    assert_eq!(repository::names("functions", ""), ["cost", "harness", "health", "lifecycle", "performance"]);
}

#[test]
fn the_table_names_what_each_binary_makes() {
    let binaries = binaries();
    let listed: BTreeSet<&str> = TABLE.iter().map(|row| row.binary).collect();
    assert_eq!(listed, binaries.keys().map(String::as_str).collect::<BTreeSet<_>>());
    for row in TABLE {
        let code = &binaries[row.binary];
        let of_start = repository::after(code, "start.").into_iter().filter(|name| *name != "clock");
        let made: BTreeSet<&str> = of_start
            .chain(repository::after(code, "=at."))
            .chain(repository::after(code, "(at."))
            .chain(repository::after(code, ",at."))
            .collect();
        assert_eq!(made, row.makes.iter().copied().collect(), "{}", row.binary);
        assert!(code.contains(&format!("serve(\"{}\"", row.binary)), "{} logs another name", row.binary);
    }
}

/// Each of the two ways into a database takes one of its two secrets, so that which one a function needs shows in its files.
#[test]
fn whoever_reads_databases_and_whoever_changes_them_take_different_secrets() {
    for (file, takes, leaves) in [
        (READS_DATABASES, "read_secret", "change_secret"),
        (READS_CACHES, "read_secret", "change_secret"),
        (CHANGES_DATABASES, "change_secret", "read_secret"),
    ] {
        let code = repository::code(file);
        assert!(code.contains(takes) && !code.contains(leaves), "{file}");
    }
    for row in TABLE {
        assert!(!(row.owns_tables() && row.files.contains(&READS_DATABASES)), "{} takes both", row.binary);
        let lets_in = row.owns_tables() || [READS_DATABASES, READS_CACHES].iter().any(|file| row.files.contains(file));
        assert_eq!(lets_in, row.makes.contains(&"secrets"), "{}", row.binary);
    }
    // Nobody else asks for a secret of a database or a cache.
    for (crate_of, count) in [("shared/postgres/src", 2), ("shared/redis/src", 1)] {
        assert_eq!(repository::all_texts(crate_of, ".rs").matches("secrets.read(").count(), count, "{crate_of}");
    }
}

#[test]
fn every_binary_runs_as_one_function() {
    let template = crate::template::Template::load();
    let mut run: Vec<String> = template.functions().into_iter().map(|function| function.binary).collect();
    run.sort();
    assert_eq!(run, binaries().into_keys().collect::<Vec<_>>());
}

#[test]
fn the_table_names_every_file_in_which_a_step_calls_ports() {
    for row in TABLE {
        for file in row.files.iter().filter(|file| file.starts_with("functions/")) {
            let source = repository::code(file);
            let directory = file.rsplit_once('/').unwrap().0;
            for module in repository::after(&source, "usecrate::") {
                let listed = row.files.contains(&format!("{directory}/{module}.rs").as_str());
                let silent =
                    WITHOUT_CALLS.iter().any(|(by, modules)| file.starts_with(by) && modules.contains(&module));
                assert!(listed || silent, "{}: {file} uses {module}, which is not in the table", row.binary);
            }
        }
    }
}

#[test]
fn modules_without_calls_call_nothing() {
    for module in ["alarm", "link", "names", "story", "words"] {
        let code = repository::code(&format!("functions/lifecycle/src/{module}.rs"));
        assert!(!code.contains(".await"), "{module} waits for something outside");
    }
}
