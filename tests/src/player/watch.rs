//! Watches one application: each look compares the records with those of the look before and gives what is new.

use super::records::{JournalEntry, Records, Told};
use super::stack::StackError;
use crate::cloud::Cloud;
use domain::execution::{ExecutionRecord, Status};
use lifecycle::explain::beats::{self, Beat, DOCUMENTS, Tone};
use lifecycle::words::plural;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Everything seen of an application so far.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Its name.
    pub app: String,
    /// Its runs as they stand, oldest first.
    pub runs: Vec<ExecutionRecord>,
    /// Its journal as it stands.
    pub journal: Vec<JournalEntry>,
    /// Rules that an analysis has named.
    pub rules: BTreeSet<String>,
    /// Messages to people about it.
    pub told: Vec<Told>,
    /// Virtual second at which its last run was seen to have ended.
    pub ended_s: Option<f64>,
    alarms: BTreeSet<String>,
    keys: BTreeSet<(String, String)>,
    told_of: BTreeMap<String, Beat>,
    /// Virtual second at which each run was seen to have ended.
    finished: BTreeMap<String, f64>,
}

/// Alarms that are named one by one; of a storm only the number is told.
const ALARMS_NAMED_MAX: usize = 4;

impl Watch {
    /// Nothing seen yet.
    pub fn new(app: &str) -> Self {
        Self {
            app: app.to_owned(),
            runs: Vec::new(),
            journal: Vec::new(),
            rules: BTreeSet::new(),
            told: Vec::new(),
            ended_s: None,
            alarms: BTreeSet::new(),
            keys: BTreeSet::new(),
            told_of: BTreeMap::new(),
            finished: BTreeMap::new(),
        }
    }

    /// Virtual second at which this run was seen to have ended.
    pub fn ended_s_of(&self, execution: &str) -> Option<f64> {
        self.finished.get(execution).copied()
    }

    /// A run is under way.
    pub fn is_running(&self) -> bool {
        self.runs.iter().any(|run| run.status == Status::Running)
    }

    /// Its last run.
    pub fn last_run(&self) -> Option<&ExecutionRecord> {
        self.runs.last()
    }

    /// Looks once, for alarms in the cloud where the application lives; gives what is new in the order in which it happened.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub async fn look(&mut self, records: &Records, cloud: &Cloud, now_s: f64) -> Result<Vec<Beat>, StackError> {
        let mut beats = self.new_alarms(records, cloud).await?;
        let known: BTreeSet<String> = self.runs.iter().map(|run| run.execution_id.to_string()).collect();
        let runs = records.runs(&self.app).await?;
        for run in runs.iter().filter(|run| !known.contains(run.execution_id.as_str())) {
            beats.push(begun(run));
        }
        for run in &runs {
            beats.extend(self.new_artifacts(records, run).await?);
        }
        self.journal = records.journal(&self.app).await?;
        for run in runs.iter().filter(|run| run.status != Status::Running) {
            if let Entry::Vacant(unseen) = self.finished.entry(run.execution_id.to_string()) {
                unseen.insert(now_s);
                self.ended_s = Some(now_s);
                beats.push(beats::ending(run));
            }
        }
        self.runs = runs;
        Ok(beats)
    }

    /// Takes a message to people if it is about this application.
    pub fn hear(&mut self, told: &Told) -> Option<Beat> {
        let subject = told.subject.clone().unwrap_or_default();
        if !told.is_about(&self.app) {
            return None;
        }
        self.told.push(told.clone());
        let mut beat = Beat::new("message", subject, Tone::Note);
        beat.details = told.message.lines().map(|line| ("", line.to_owned(), Tone::Dim)).collect();
        Some(beat)
    }

    /// A person was told that the maintainer can't help.
    pub fn was_escalated(&self) -> bool {
        let words = format!("{} needs a person", self.app);
        self.told.iter().any(|told| told.subject.as_deref().unwrap_or_default().contains(&words))
    }

    /// A message to people contained this text.
    pub fn was_told(&self, text: &str) -> bool {
        self.told.iter().any(|told| told.message.contains(text))
    }

    async fn new_alarms(&mut self, records: &Records, cloud: &Cloud) -> Result<Vec<Beat>, StackError> {
        let ringing = records.ringing(cloud, &self.app).await?;
        let fresh: Vec<_> = ringing.iter().filter(|alarm| !self.alarms.contains(&alarm.name)).collect();
        let mut beats: Vec<Beat> = fresh
            .iter()
            .take(ALARMS_NAMED_MAX)
            .map(|alarm| Beat::new("ALARM", format!("{}: {}", alarm.name, alarm.description), Tone::Bad))
            .collect();
        if fresh.len() > ALARMS_NAMED_MAX {
            beats.push(Beat::new(
                "ALARM",
                format!("and {}", plural(fresh.len() - ALARMS_NAMED_MAX, "more alarm")),
                Tone::Bad,
            ));
        }
        // An alarm that has calmed down is told again when it goes off again.
        self.alarms = ringing.into_iter().map(|alarm| alarm.name).collect();
        Ok(beats)
    }

    /// New artifacts of a run, by iteration and step.
    async fn new_artifacts(&mut self, records: &Records, run: &ExecutionRecord) -> Result<Vec<Beat>, StackError> {
        if self.finished.contains_key(run.execution_id.as_str()) {
            return Ok(Vec::new());
        }
        let keys = records.keys(&self.app, run.execution_id.as_str()).await?;
        let fresh = keys.into_iter().filter(|key| !self.keys.contains(key));
        let mut fresh: Vec<(u32, usize, (String, String))> =
            fresh.filter_map(|key| place(&key.0).map(|(iteration, artifact)| (iteration, artifact, key))).collect();
        fresh.sort();
        let mut beats = Vec::new();
        for (iteration, artifact, key) in fresh {
            let body = records.artifact(&key.0).await?;
            let document = &DOCUMENTS[artifact];
            let mut beat = (document.beat)(&body);
            match document.name {
                "snapshot" => {
                    if let Some(beat) = &mut beat {
                        beat.text = format!("iteration {iteration}: {}", beat.text);
                    }
                }
                "analysis" => self.rules.extend(beats::findings(&body).iter().map(|finding| finding.rule.to_string())),
                _ => {}
            }
            let unreadable = || Beat::new("record", format!("{} has another shape than documented", key.0), Tone::Bad);
            let beat = beat.unwrap_or_else(unreadable);
            // A step that is repeated writes its document again; the same words are told once.
            if self.told_of.insert(key.0.clone(), beat.clone()).as_ref() != Some(&beat) {
                beats.push(beat);
            }
            self.keys.insert(key);
        }
        Ok(beats)
    }
}

fn begun(run: &ExecutionRecord) -> Beat {
    let mut trigger: String = run.trigger.chars().take(160).collect();
    if trigger.len() < run.trigger.len() {
        trigger.push('…');
    }
    Beat::new("run", format!("{} {trigger}", run.execution_id), Tone::Plain)
}

/// Iteration and step of an artifact's key `runs/<app>/<execution>/<iteration>/<step>.json`.
fn place(key: &str) -> Option<(u32, usize)> {
    let mut parts = key.rsplit('/');
    let step = parts.next()?.strip_suffix(".json")?;
    let iteration = parts.next()?.parse().ok()?;
    Some((iteration, DOCUMENTS.iter().position(|document| document.name == step)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_are_told_by_iteration_and_step() {
        assert_eq!(place("runs/shop/health-shop-1/2/analysis.json"), Some((2, 4)));
        assert_eq!(place("runs/shop/health-shop-1/2/after.json"), None);
    }

    #[test]
    fn a_message_is_heard_by_the_application_it_is_about() {
        let told = Told {
            subject: Some("[maintainer] shop needs a person: health 2.1 of 10".to_owned()),
            message: "text".to_owned(),
        };
        let (mut shop, mut other) = (Watch::new("shop"), Watch::new("sho"));
        assert!(shop.hear(&told).is_some() && shop.was_escalated());
        assert!(shop.was_told("tex") && !shop.was_told("other"));
        assert!(other.hear(&told).is_none() && !other.was_escalated());
    }
}
