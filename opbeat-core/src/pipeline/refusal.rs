//! What is lost because it will never be taken.

use crate::notice;
use crate::record::Drops;

/// So many deliveries in a row without a refusal end a run of them: where one kind of report is refused now and then,
/// each of them is not news.
const CALM: u32 = 10;

/// What of one batch will never be delivered.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(super) lost: Drops,
    /// What was left out before, and still has to be told.
    pub(super) untold: Drops,
    /// The first reason there was.
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn new(reason: String) -> Self {
        Self { lost: Drops::default(), untold: Drops::default(), reason }
    }
}

/// A run of refusals. It is told once, at its start, and once at its end.
#[derive(Default)]
pub(super) struct Refusals {
    lost: Option<Drops>,
    /// Deliveries since the last refusal.
    calm: u32,
}

impl Refusals {
    pub(super) fn note(&mut self, refusal: &Refusal) {
        self.calm = 0;
        let Refusal { lost, reason, .. } = refusal;
        match &mut self.lost {
            Some(all) => *all += *lost,
            None => {
                self.lost = Some(*lost);
                notice::error(format_args!(
                    "{reason}. This is lost: {lost}. What else is refused is counted, and told when it is over"
                ));
            }
        }
    }

    /// Notes a delivery that was taken as a whole.
    pub(super) fn calm_down(&mut self) {
        self.calm = self.calm.saturating_add(1);
        if self.calm < CALM {
            return;
        }
        if let Some(lost) = self.lost.take() {
            notice::error(format_args!("deliveries are accepted again; in the meantime this was lost: {lost}"));
        }
    }
}
