//! Looks at some keys: `SCAN` in small steps, each followed by one batch of questions about what it gave. A step holds other clients up for less
//! than a millisecond; the number of keys, of steps and of milliseconds is bounded.

use crate::connect::Session;
use crate::errors::port_error;
use crate::info::bounded;
use crate::slow::{bytes, integer, parts};
use domain::observed::Observed;
use domain::performance::cache::{Key, Sampled, patterns};
use engine::ports::{Clock, PortError, PortResult};
use redis::{RedisError, Value};
use std::collections::BTreeSet;

/// Keys that are looked at.
pub(crate) const KEYS_MAX: usize = 1_000;
/// Steps: a keyspace that has shrunk has many empty ones.
const STEPS_MAX: usize = 80;
/// Keys that a step asks for.
const STEP_KEYS: usize = 25;
/// Milliseconds after which no further step is begun.
const MS_MAX: i128 = 2_000;
/// Longest name of a key that is asked about.
const NAME_BYTES_MAX: usize = 1_024;
/// Members of a value that are measured for its size.
const SAMPLES: usize = 5;
/// Questions about a key.
const QUESTIONS: usize = 4;
/// What the sample needs, as rules of an ACL.
const NEEDS: &str = "+scan +type +pttl +memory|usage +object|freq +object|idletime ~*";
/// The database in which a connection begins.
const DATABASE: &str = "db0";

/// Some keys, and lookups that found one or none: the server counts them.
pub(crate) struct Looked {
    pub(crate) keys: Observed<Sampled>,
    pub(crate) hits: f64,
    pub(crate) misses: f64,
}

/// Looks at some keys. `counts_use` where the policy of the server counts how often a key is used. What the server refuses is missing.
///
/// # Errors
/// When the connection broke.
pub(crate) async fn sample(
    session: &mut Session,
    name: &str,
    counts_use: bool,
    clock: &dyn Clock,
) -> PortResult<Looked> {
    let mut sampling = Sampling { counts_use, ..Sampling::default() };
    let done = sampling.run(session, clock).await;
    let (hits, misses) = (sampling.hits, sampling.misses);
    let keys = match done {
        Ok(is_whole) => Observed::Known(sampling.sampled(is_whole)),
        Err(error) => match port_error(&format!("look at keys of {name}"), NEEDS, &error) {
            broken @ PortError::Unknown { .. } => return Err(broken),
            refused => {
                tracing::warn!(cache = name, "{refused}");
                Observed::Missing(refused.missing())
            }
        },
    };
    Ok(Looked { keys, hits, misses })
}

#[derive(Default)]
struct Sampling {
    counts_use: bool,
    names: Vec<Vec<u8>>,
    keys: Vec<Key>,
    seen: BTreeSet<Vec<u8>>,
    skipped: f64,
    hits: f64,
    misses: f64,
}

impl Sampling {
    /// Goes on until all were seen, which it says, or enough.
    async fn run(&mut self, session: &mut Session, clock: &dyn Clock) -> Result<bool, RedisError> {
        let begun = clock.steady();
        let mut cursor = b"0".to_vec();
        for _ in 0..STEPS_MAX {
            let step = session.ask(redis::cmd("SCAN").arg(&cursor).arg("COUNT").arg(STEP_KEYS)).await?;
            let Some((next, names)) = parts(&step).and_then(|step| Some((bytes(step.first()?)?, parts(step.get(1)?)?)))
            else {
                return Ok(false);
            };
            let room = KEYS_MAX - self.keys.len();
            let new: Vec<Vec<u8>> =
                names.iter().filter_map(bytes).filter(|name| self.is_new(name)).map(<[u8]>::to_vec).collect();
            let is_cut = new.len() > room;
            self.look(session, new.into_iter().take(room).collect()).await?;
            if next == b"0" {
                return Ok(!is_cut);
            }
            if is_cut || self.keys.len() >= KEYS_MAX || (clock.steady() - begun).as_millis() > MS_MAX {
                return Ok(false);
            }
            cursor = next.to_vec();
        }
        Ok(false)
    }

    /// A key may come twice while the server grows its table.
    fn is_new(&mut self, name: &[u8]) -> bool {
        if name.len() > NAME_BYTES_MAX {
            self.skipped += 1.0;
            return false;
        }
        self.seen.insert(name.to_vec())
    }

    /// Asks about these keys.
    async fn look(&mut self, session: &mut Session, names: Vec<Vec<u8>>) -> Result<(), RedisError> {
        if names.is_empty() {
            return Ok(());
        }
        let use_of = if self.counts_use { "FREQ" } else { "IDLETIME" };
        let mut questions = redis::Pipeline::with_capacity(names.len() * QUESTIONS);
        for name in &names {
            questions.cmd("TYPE").arg(name);
            questions.cmd("PTTL").arg(name);
            questions.cmd("MEMORY").arg("USAGE").arg(name).arg("SAMPLES").arg(SAMPLES);
            questions.cmd("OBJECT").arg(use_of).arg(name);
        }
        let answers = session.ask_all(&questions).await?;
        for (name, answers) in names.into_iter().zip(answers.chunks(QUESTIONS)) {
            for (at, answer) in answers.iter().enumerate() {
                // Only its use may be refused (another policy by now): a server that tells nothing of its keys has not shown us none.
                if let Value::ServerError(error) = answer
                    && (at != 3 || error.code() == "NOPERM")
                {
                    return Err(RedisError::from(error.clone()));
                }
            }
            // The size of a value is asked without a lookup.
            for (_, answer) in answers.iter().enumerate().filter(|(at, _)| *at != 2) {
                match found(answer) {
                    Some(true) => self.hits += 1.0,
                    Some(false) => self.misses += 1.0,
                    None => {}
                }
            }
            match self.key(answers) {
                Some(key) => {
                    self.keys.push(key);
                    self.names.push(name);
                }
                None => self.skipped += 1.0,
            }
        }
        Ok(())
    }

    /// What was answered about one; nothing where it went away meanwhile.
    fn key(&self, answers: &[Value]) -> Option<Key> {
        let [kind, ttl, size, used] = answers else { return None };
        let kind = String::from_utf8_lossy(bytes(kind)?).into_owned();
        let (ttl, size) = (integer(ttl)?, integer(size)?);
        let used = integer(used).map(|used| used as f64);
        (kind != "none" && ttl >= -1).then(|| Key {
            pattern: String::new(),
            kind: bounded(&kind),
            bytes: size as f64,
            ttl_ms: (ttl >= 0).then_some(ttl as f64),
            idle_s: used.filter(|_| !self.counts_use),
            frequency: used.filter(|_| self.counts_use),
        })
    }

    /// The keys under their patterns: here their names end.
    fn sampled(self, is_whole: bool) -> Sampled {
        let named = patterns(self.names.iter().map(Vec::as_slice));
        let keys = self.keys.into_iter().zip(named).map(|(key, pattern)| Key { pattern, ..key }).collect();
        Sampled { database: DATABASE.to_owned(), keys, is_whole, skipped: self.skipped }
    }
}

/// Whether a question found its key; nothing where it was refused.
fn found(answer: &Value) -> Option<bool> {
    match answer {
        Value::Int(number) => Some(*number >= -1),
        Value::SimpleString(kind) => Some(kind != "none"),
        Value::Nil => Some(false),
        Value::ServerError(_) => None,
        _ => Some(true),
    }
}
