//! What the maintainer promises to those who let it touch production, and what holds it to each promise.
//!
//! A contract compares the names here with the tests that are there; `make test` prints the table after all of them have
//! passed, with the numbers that they have written down in `target/proof`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A promise.
pub struct Promise {
    /// `P1` and so on.
    pub id: &'static str,
    /// The promise, short.
    pub text: &'static str,
    /// Tests by the name of their function, and scenarios by the name of their file, that hold it.
    pub held_by: &'static [&'static str],
    /// Counts that these tests write down.
    pub counts: &'static [&'static str],
    /// What of it is not shown yet; empty for nothing.
    pub open: &'static str,
}

/// All of them.
pub const PROMISES: [Promise; 21] = [
    Promise {
        id: "P1",
        text: "a decided change takes effect at most once",
        held_by: &[
            "fault_at_every_call_leaves_one_application_or_none",
            "fault_step_delivered_twice_at_once_applies_once",
            "fault_optimize_that_dies_at_any_call_is_settled_and_the_shop_is_healed",
            "fault_a_write_whose_answer_is_lost_is_unknown_and_sent_once",
            "regression_a_change_is_not_made_once_a_process_with_another_clock_has_settled_it",
            "a_change_that_is_made_twice_is_found_and_told_in_two_lines",
            "the_writes_that_can_t_be_fenced_are_listed_by_name",
            "killed_in_optimize",
        ],
        counts: &["engine-faults", "delivered-twice-at-once", "cycle-deaths"],
        open: "in whole runs, not every state's every call: asking, undoing and residue of cost and performance, escalate, resolve",
    },
    Promise {
        id: "P2",
        text: "every run ends healthy, undone or escalated",
        held_by: &[
            "prop_whatever_goes_wrong_each_change_happens_once_or_not_at_all_and_the_record_is_true",
            "the_same_seed_makes_the_same_story",
            "prop_a_run_always_ends_within_six_iterations_and_never_well_without_a_measured_score",
            "fault_an_answer_that_is_lost_in_optimize_is_found_out",
        ],
        counts: &["simulated-runs", "cycle-lost-answers"],
        open: "a million simulations: seed 104155 does not hold yet, the record credits the wrong run",
    },
    Promise {
        id: "P3",
        text: "the undo is durable before the change, and restores exactly what was there",
        held_by: &[
            "restores_the_captured_values_newest_first_and_stores_the_outcome",
            "an_intent_that_is_not_durable_is_found_and_told_in_two_lines",
            "an_undo_that_does_nothing_is_found_and_told_in_three_lines",
            "draws_back_when_somebody_else_changes_the_value_right_before_the_undo",
            "fault_a_rollback_that_breaks_at_any_call_is_finished_or_told",
            "rolled_back",
        ],
        counts: &["rollback-faults"],
        open: "",
    },
    Promise {
        id: "P4",
        text: "one writer per application",
        held_by: &[
            "prop_whatever_goes_wrong_each_change_happens_once_or_not_at_all_and_the_record_is_true",
            "a_holder_whose_lease_ends_early_by_another_clock_undoes_over_nothing",
            "regression_nothing_is_undone_once_another_clock_may_have_ended_the_lease",
            "of_many_that_want_a_lease_at_once_one_gets_it",
            "fault_a_run_that_lost_its_lease_changes_nothing_more",
            "a_run_that_was_stopped_gives_way_at_once",
            "stopped_in_console",
        ],
        counts: &["simulated-runs"],
        open: "",
    },
    Promise {
        id: "P5",
        text: "a stale plan is never carried out",
        held_by: &[
            "fault_a_delivery_that_is_held_up_at_any_call_claims_nothing_once_a_later_iteration_has",
            "the_claim_of_an_iteration_is_turned_away_once_a_later_one_has_announced_a_change",
            "a_delivery_that_comes_an_iteration_too_late_is_turned_away",
            "age_of_the_snapshot",
        ],
        counts: &[],
        open: "an iteration that announces nothing leaves no version behind; the age of the snapshot holds there",
    },
    Promise {
        id: "P6",
        text: "duplicate events make one run",
        held_by: &[
            "a_hundred_deliveries_of_one_event_start_one_run_and_say_so",
            "one_transition_that_comes_three_ways_starts_one_run",
            "deliveries_that_run_into_each_other_start_one_run",
            "a_thousand_duplicates_at_once_start_one_run",
            "a_thousand_duplicates_in_the_cloud_start_one_execution",
        ],
        counts: &[],
        open: "",
    },
    Promise {
        id: "P7",
        text: "an alarm storm makes bounded work",
        held_by: &[
            "two_hundred_alarms_in_a_minute_start_one_run_whose_episode_names_them_all",
            "ten_thousand_alarms_in_a_minute_start_a_run_per_application_with_few_calls_each",
            "alarms_of_one_application_at_ten_thousand_a_minute_stay_within_what_one_item_takes",
            "over_forty_per_cent_of_a_fleet_sick_nothing_is_changed_on_it_and_the_reason_calls_for_a_person",
            "alarm_storm",
        ],
        counts: &[],
        open: "over 40 % of a fleet sick is shown of the plan alone",
    },
    Promise {
        id: "P8",
        text: "flapping makes no oscillation",
        held_by: &[
            "a_sawtooth_at_the_threshold_for_a_day_makes_one_change_and_one_undo_per_cool_down_at_most",
            "flapping_alarm",
            "cool_down",
            "repeats_of_one_remedy",
            "prop_two_workflows_never_undo_each_other_in_turn",
            "prop_two_workflows_that_take_turns_never_undo_each_other",
            "a_remedy_that_is_needed_again_and_again_is_told_as_a_finding",
        ],
        counts: &[],
        open: "",
    },
    Promise {
        id: "P9",
        text: "missed events are healed by the schedule, and silence is noticed",
        held_by: &[
            "the_input_of_the_schedule_is_understood",
            "the_schedule_and_the_notice_of_silence_fit_each_other",
            "a_schedule_slower_than_the_limit_or_a_pause_makes_nobody_silent_that_no_round_has_missed",
            "events_lost",
        ],
        counts: &[],
        open: "",
    },
    Promise {
        id: "P10",
        text: "missing data is never healthy and never a reason for harm",
        held_by: &[
            "prop_missing_never_makes_a_score_better",
            "an_application_that_can_t_be_measured_is_never_called_well",
            "metrics_stop",
            "what_cannot_be_read_forbids_it_and_what_fails_once_is_read_again",
        ],
        counts: &[],
        open: "",
    },
    Promise {
        id: "P11",
        text: "an empty selector selects nothing; reach is capped per run, hour and day",
        held_by: &[
            "an_empty_selector_selects_nothing",
            "prop_an_input_never_widens_to_all_applications",
            "prop_a_selector_in_the_file_is_refused_or_selects_what_it_names_and_no_more",
            "regression_a_service_that_ignores_the_filter_selects_no_more_than_was_named",
            "prop_a_limit_in_the_file_is_refused_or_holds_as_it_was_written",
            "prop_what_passes_breaks_no_limit",
            "budgets_of_one_resource",
            "fault_two_deliveries_of_different_plans_at_once_never_exceed_a_budget",
        ],
        counts: &[],
        open: "",
    },
    Promise {
        id: "P12",
        text: "kill switch, freeze, calendar and observe beat everything",
        held_by: &[
            "fault_kill_switch_at_any_moment_stops_the_next_write_that_looks",
            "prop_the_kill_switch_beats_everything",
            "a_freeze_stops_every_change_and_is_named",
            "a_change_calendar_that_is_closed_stops_every_change_and_an_open_one_none",
            "the_kill_switch_and_the_owners_protection_hold_for_a_rollback_too",
            "a_configuration_that_can_t_be_read_is_one_sentence_and_no_settings",
            "a_function_that_has_read_it_before_does_not_go_on_with_what_it_knew",
            "a_function_that_writes_reads_the_configuration_before_it_makes_what_writes",
        ],
        counts: &["kill-switch"],
        open: "freeze and observe are not flipped between every two calls",
    },
    Promise {
        id: "P13",
        text: "a change without verified benefit is undone",
        held_by: &[
            "prop_a_useless_change_is_never_verified_whatever_the_load_does",
            "prop_on_labelled_cases_hardly_anything_is_wrongly_kept_or_wrongly_undone",
            "what_the_hour_does_by_itself_is_not_credited_to_a_change",
            "database_saturated",
            "nightly_job",
            "traffic_falls",
            "traffic_rises",
        ],
        counts: &["labelled-verdicts"],
        open: "",
    },
    Promise {
        id: "P14",
        text: "throttling is not amplified",
        held_by: &[
            "fault_when_everything_is_throttled_hardly_anything_is_repeated",
            "fault_when_every_write_is_throttled_hardly_any_is_sent_again",
            "fault_when_every_read_is_throttled_hardly_any_gets_another_chance",
        ],
        counts: &[],
        open: "what Step Functions repeats on top is not counted",
    },
    Promise {
        id: "P15",
        text: "SQL: allow-listed shapes only, no invalid index is left",
        held_by: &[
            "promise_p15_hostile_names_stay_names_in_a_million_statements",
            "promise_p15_hostile_names_are_built_and_dropped_as_names",
            "promise_p15_no_invalid_index_is_left_wherever_a_build_ends",
            "a_build_is_not_begun_beside_an_old_transaction_or_other_work_on_the_table",
            "a_full_disk_and_a_refused_build_leave_nothing",
            "hostile_statements_are_not_priced_and_do_nothing",
        ],
        counts: &["sql-names", "sql-builds", "performance-faults"],
        open: "",
    },
    Promise {
        id: "P16",
        text: "secrets never leave",
        held_by: &[
            "what_is_planted_in_everything_a_run_reads_is_in_nothing_that_it_writes_sends_or_logs",
            "regression_the_text_of_what_is_no_query_is_not_kept",
            "a_tag_that_is_named_like_a_secret_is_written_without_its_value_and_all_others_with_it",
            "no_secret_is_written",
            "a_link_that_was_altered_or_has_expired_opens_nothing",
        ],
        counts: &[],
        open: "planted in a run of the performance cycle; not in bills, functions' environments, comments of queries, or the cloud's scenarios",
    },
    Promise {
        id: "P17",
        text: "hostile text is data",
        held_by: &[
            "hostile_text_stays_data_on_one_bounded_line",
            "hostile_text_from_a_service_is_shortened_and_loses_its_control_characters",
            "text_from_outside_keeps_to_one_bounded_line",
            "a_chat_shows_what_would_mention_or_link_there_as_text",
            "no_state_reads_text_as_a_path_a_template_or_json",
            "a_hostile_name_of_an_alarm_stays_one_string_of_the_input",
            "a_hostile_name_of_an_application_starts_nothing_or_stays_a_string",
        ],
        counts: &[],
        open: "state machines are read, not run, with hostile text",
    },
    Promise {
        id: "P18",
        text: "clock skew is harmless",
        held_by: &[
            "prop_whatever_goes_wrong_each_change_happens_once_or_not_at_all_and_the_record_is_true",
            "counts_an_entry_from_the_future",
            "regression_a_change_is_not_made_once_a_process_with_another_clock_has_settled_it",
            "regression_nothing_is_undone_once_another_clock_may_have_ended_the_lease",
            "regression_a_clock_that_is_set_back_between_an_intent_and_its_call_makes_no_call",
            "regression_nothing_is_made_smaller_while_a_lease_may_hold_by_the_clock_of_its_holder",
        ],
        counts: &["simulated-runs"],
        open: "",
    },
    Promise {
        id: "P19",
        text: "poison input is parked, not looped",
        held_by: &[
            "an_event_that_is_not_understood_is_parked_once_with_one_sentence_and_changes_nothing",
            "a_huge_event_is_parked_by_its_head_and_changes_nothing",
            "what_was_parked_is_sent_again_by_a_command",
        ],
        counts: &[],
        open: "",
    },
    Promise {
        id: "P20",
        text: "exact least privilege",
        held_by: &[
            "every_function_may_do_exactly_what_its_step_does",
            "what_changes_something_names_its_resource_or_a_condition",
            "only_one_function_of_each_cycle_changes_applications",
        ],
        counts: &[],
        open: "both ways by the sources, not by the calls of a golden run",
    },
    Promise {
        id: "P21",
        text: "if we are down, the application is not affected",
        held_by: &[
            "fault_during_recovery_is_recovered_from",
            "a_dead_run_blocks_nobody_longer_than_its_lease",
            "stopped_in_console",
        ],
        counts: &["recovery-faults"],
        open: "",
    },
];

/// What a test has written down.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Count {
    /// Faults injected and survived, or runs.
    pub injected: u64,
    /// Seconds that took.
    pub seconds: f64,
}

/// All counts of the last run of the tests, by name.
pub fn counts(directory: &Path) -> BTreeMap<String, Count> {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let count = |path: std::path::PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        Some((name, serde_json::from_str(&std::fs::read_to_string(&path).ok()?).ok()?))
    };
    files.filter_map(|file| count(file.path())).collect()
}

/// Hostile names that were made into statements and read back.
const NAMES: &str = "sql-names";

/// The table, one promise a row.
pub fn table(counts: &BTreeMap<String, Count>) -> String {
    let width = PROMISES.iter().map(|promise| promise.text.chars().count()).max().unwrap_or(0);
    let mut table = format!("{:<4} {:<width$}  {:>5}  {:>8}  not shown yet\n", "", "promise", "tests", "injected");
    for promise in &PROMISES {
        let injected: u64 =
            promise.counts.iter().filter_map(|name| counts.get(*name)).map(|count| count.injected).sum();
        let injected = if injected == 0 { String::new() } else { injected.to_string() };
        let row = format!(
            "{:<4} {:<width$}  {:>5}  {injected:>8}  {}",
            promise.id,
            promise.text,
            promise.held_by.len(),
            promise.open
        );
        table.push_str(row.trim_end());
        table.push('\n');
    }
    // Names that the parser reads back are no faults.
    let counted = counts.iter().filter(|(name, _)| *name != NAMES).map(|(_, count)| count);
    let (all, seconds) = counted.fold((0, 0.0), |sum, count| (sum.0 + count.injected, sum.1 + count.seconds));
    let rate = if seconds > 0.0 { f64::from(u32::try_from(all).unwrap_or(u32::MAX)) / seconds } else { 0.0 };
    table.push_str(&format!("\n{all} faults and simulated runs in memory, all survived, {rate:.0} a second\n"));
    for (name, count) in counts {
        table.push_str(&format!("  {name:<26} {:>7} in {:.1} s\n", count.injected, count.seconds));
    }
    table
}
