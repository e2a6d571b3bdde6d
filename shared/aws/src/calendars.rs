//! Change calendars of AWS Systems Manager.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::CalendarState as Word;
use engine::ports::{CalendarState, Calendars as Port};
use std::collections::BTreeSet;

/// IAM actions on calendars.
pub const PERMISSIONS: &[&str] = &["ssm:GetCalendarState"];

/// See [`engine::ports::Calendars`].
#[derive(Clone, Debug)]
pub struct Calendars {
    client: Lazy<Client>,
}

impl Calendars {
    /// Asks Systems Manager.
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.ssm() }
    }
}

#[async_trait]
impl Port for Calendars {
    async fn state(&self, calendars: &BTreeSet<String>) -> CalendarState {
        let names: Vec<String> = calendars.iter().cloned().collect();
        let shown = names.join(", ");
        // Of several calendars AWS says "open" only when all of them are.
        match self.client.get_calendar_state().set_calendar_names(Some(names)).send().await {
            Ok(answer) => state(&shown, answer.state.as_ref(), answer.next_transition_time.as_deref()),
            Err(error) => {
                let why = port_error("ssm:GetCalendarState", &shown, &error);
                CalendarState::Closed(format!("change calendar {shown} can't be read: {why}"))
            }
        }
    }
}

fn state(shown: &str, state: Option<&Word>, until: Option<&str>) -> CalendarState {
    match state {
        Some(Word::Open) => CalendarState::Open,
        Some(Word::Closed) => {
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            CalendarState::Closed(format!("change calendar {shown} is closed{until}"))
        }
        other => {
            let word = other.map_or("nothing", Word::as_str);
            CalendarState::Closed(format!("change calendar {shown} answers \"{word}\", neither open nor closed"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_lets_changes_happen() {
        assert_eq!(state("c", Some(&Word::Open), None), CalendarState::Open);
        let said = |word: Option<&Word>, until| match state("sale", word, until) {
            CalendarState::Closed(why) => why,
            CalendarState::Open => "open".to_owned(),
        };
        let closed = said(Some(&Word::Closed), Some("2026-12-01T00:00:00Z"));
        assert_eq!(closed, "change calendar sale is closed until 2026-12-01T00:00:00Z");
        assert!(said(None, None).contains("neither"));
        assert!(said(Some(&Word::from("MAYBE")), None).contains("MAYBE"));
    }
}
