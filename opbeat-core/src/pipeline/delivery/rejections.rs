//! Data that the server rejected for good.

use crate::notice;
use crate::record::Drops;

/// The number of deliveries without a rejection after which a series of rejections is over. If one kind of report is
/// rejected now and then, the log shows one series, and not each rejection.
const DELIVERIES_AFTER_SERIES: u32 = 10;

/// The data of one batch that was rejected for good.
#[derive(Clone, Debug)]
pub(crate) struct Rejection {
    /// The data that is dropped.
    pub(super) dropped: Drops,
    /// Earlier drops that the rejected body would have reported. They are sent again later.
    pub(super) unsent: Drops,
    /// The first reason, if there are several.
    pub(super) reason: String,
}

impl Rejection {
    pub(super) fn new(reason: String) -> Self {
        Self { dropped: Drops::default(), unsent: Drops::default(), reason }
    }
}

/// A series of rejections. The log shows its start and its end.
#[derive(Default)]
pub(super) struct RejectionSeries {
    dropped: Option<Drops>,
    deliveries_since: u32,
}

impl RejectionSeries {
    /// Adds a rejection, and logs it if it is the first of the series.
    pub(super) fn add(&mut self, rejection: &Rejection) {
        self.deliveries_since = 0;
        let Rejection { dropped, reason, .. } = rejection;
        match &mut self.dropped {
            Some(all) => *all += *dropped,
            None => {
                self.dropped = Some(*dropped);
                notice::error(format_args!(
                    "{reason}. Dropped: {dropped}. Further rejections are counted, and logged when the server accepts \
                     data again"
                ));
            }
        }
    }

    /// Notes a delivery without a rejection, and logs the end of the series if it is over.
    pub(super) fn note_delivery(&mut self) {
        self.deliveries_since = self.deliveries_since.saturating_add(1);
        if self.deliveries_since < DELIVERIES_AFTER_SERIES {
            return;
        }
        if let Some(dropped) = self.dropped.take() {
            notice::error(format_args!("the server accepts data again; dropped in the meantime: {dropped}"));
        }
    }
}
