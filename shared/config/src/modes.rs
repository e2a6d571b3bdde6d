//! Modes of an application: how much the maintainer does by itself, by risk class and kind of change.

use crate::file::{ModeSetting, RISKS};
use domain::change::ChangeKind;
use domain::mode::{Mode, Risk};
use std::collections::BTreeMap;

/// The mode for every change.
///
/// Built in is `observe` for everything: whoever deploys the maintainer gets reports, and no change, until they ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modes {
    risks: BTreeMap<Risk, Mode>,
    kinds: BTreeMap<ChangeKind, Mode>,
}

impl Default for Modes {
    fn default() -> Self {
        Self::all(Mode::Observe)
    }
}

impl Modes {
    /// One mode for everything.
    pub fn all(mode: Mode) -> Self {
        Self { risks: RISKS.iter().map(|(_, risk, _)| (*risk, mode)).collect(), kinds: BTreeMap::new() }
    }

    /// The mode for a change: that of its kind if there is one, else that of its risk class.
    pub fn mode_for(&self, risk: Risk, kind: ChangeKind) -> Mode {
        let mode = self.kinds.get(&kind).or_else(|| self.risks.get(&risk));
        mode.copied().unwrap_or(Mode::Observe)
    }

    /// The mode of a risk class.
    pub fn of_risk(&self, risk: Risk) -> Mode {
        self.risks.get(&risk).copied().unwrap_or(Mode::Observe)
    }

    /// Kinds of changes with a mode of their own.
    pub fn of_kinds(&self) -> &BTreeMap<ChangeKind, Mode> {
        &self.kinds
    }

    /// This setting on top. One word stands for everything, also for what was set for a kind below it: `observe` must
    /// mean that nothing at all is changed.
    #[must_use]
    pub(crate) fn under(mut self, setting: Option<&ModeSetting>) -> Self {
        match setting {
            None => self,
            Some(ModeSetting::All(mode)) => Self::all(*mode),
            Some(ModeSetting::Each(each)) => {
                for (key, mode) in each {
                    if let Some((_, risk, _)) = RISKS.iter().find(|(name, ..)| name == key) {
                        self.risks.insert(*risk, *mode);
                    } else if let Some(spec) = domain::changes::TABLE.iter().find(|spec| spec.name == key) {
                        self.kinds.insert(spec.kind, *mode);
                    }
                }
                self
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(pairs: &[(&str, Mode)]) -> ModeSetting {
        ModeSetting::Each(pairs.iter().map(|(key, mode)| ((*key).to_owned(), *mode)).collect())
    }

    #[test]
    fn observes_everything_when_nothing_is_said() {
        for spec in domain::changes::TABLE {
            assert_eq!(Modes::default().mode_for(spec.risk, spec.kind), Mode::Observe);
        }
    }

    #[test]
    fn the_kind_goes_before_the_risk() {
        let modes = Modes::default().under(Some(&each(&[("low", Mode::Auto), ("flush_cache", Mode::Approve)])));
        assert_eq!(modes.mode_for(Risk::Low, ChangeKind::FlushCache), Mode::Approve);
        assert_eq!(modes.mode_for(Risk::Low, ChangeKind::SetFleetCapacity), Mode::Auto);
        assert_eq!(modes.mode_for(Risk::High, ChangeKind::SetFleetCapacity), Mode::Observe);
    }

    #[test]
    fn one_word_stands_for_everything_below_it() {
        let below = Modes::default().under(Some(&each(&[("flush_cache", Mode::Auto), ("high", Mode::Approve)])));
        assert_eq!(below.under(Some(&ModeSetting::All(Mode::Observe))), Modes::all(Mode::Observe));
    }
}
