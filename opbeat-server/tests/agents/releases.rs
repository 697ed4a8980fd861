//! The release tracker 1.1.1.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::program::node;
use crate::sent::{list, text};
use crate::shop::EmptyShop;

#[tokio::test(flavor = "multi_thread")]
async fn releases_are_listed_with_their_machines() {
    let program = node("release-tracker", &["-r", "./redirect.js", "track.js"]);
    let shop = EmptyShop::start().await.after(program).await;
    shop.recorder.assert_all_accepted();
    for exchange in shop.recorder.exchanges() {
        assert_eq!(exchange.header("user-agent"), "opbeat-release-tracker/1.1.1 opbeat-http-client/1.2.2");
        assert_eq!(exchange.header("content-type"), "application/octet-stream");
    }
    let sent = shop.recorder.bodies("releases");
    let account = list(&shop.account["releases"]);
    assert_eq!(sent.len(), account.len());
    for (sent, tracked) in sent.iter().zip(account) {
        for field in ["rev", "branch", "status", "machine"] {
            assert_eq!(sent[field], tracked[field], "the agent sent what the program tracked");
        }
    }
    let answer = shop.opbeat.ask("releases/").await;
    let shown: BTreeMap<String, &Value> =
        list(&answer["releases"]).iter().map(|release| (text(&release["rev"]), release)).collect();
    let revs: BTreeSet<String> = sent.iter().map(|release| text(&release["rev"])).collect();
    assert_eq!(answer["total"], revs.len());
    assert_eq!(shown.keys().cloned().collect::<BTreeSet<_>>(), revs);
    for (rev, release) in shown {
        let reports = sent.iter().filter(|report| report["rev"] == rev.as_str());
        assert!(reports.clone().all(|report| release["branch"] == report["branch"]), "{release:#}");
        assert_eq!(release["status"], "completed", "{release:#}");
        let expected: BTreeSet<String> =
            reports.filter_map(|report| report["machine"].as_str()).map(str::to_owned).collect();
        let machines: BTreeSet<String> = list(&release["machines"]).iter().map(|one| text(&one["hostname"])).collect();
        assert_eq!(machines, expected, "{release:#}");
        assert_eq!(release["machine_count"], expected.len(), "{release:#}");
        let times = ["first_completed_at", "last_completed_at"].map(|field| text(&release[field]));
        assert!(!times[0].is_empty() && times[0] <= times[1], "{release:#}");
    }
}
