//! The rates of found and false slow-downs, on simulated releases.

mod random;
mod releases;
mod slow_downs;

use opbeat_judgement::*;
use std::fmt::Write;

#[test]
fn dump() {
    let n: usize = std::env::var("N").ok().and_then(|v| v.parse().ok()).unwrap_or(10);
    let seed: u64 = std::env::var("SEED").ok().and_then(|v| v.parse().ok()).unwrap_or(1);
    let model = std::env::var("MODEL").unwrap_or_default();
    let bm: usize = std::env::var("BM").ok().and_then(|v| v.parse().ok()).unwrap_or(5);
    let wrong: Option<f64> = std::env::var("WRONG").ok().and_then(|v| v.parse().ok());
    let free = std::env::var("FREE").is_ok();
    let mut out = String::new();
    let (mut tg, mut tj) = (0.0, 0.0);
    for k in 0..n {
        let t = std::time::Instant::now();
        let (series, meta, change, length, app) = if model == "sd" {
            let mut r = random::Random::new(seed * 100_000 + k as u64);
            let planted = slow_downs::planted(&mut r, k);
            let s = slow_downs::release(&mut r, planted);
            let meta: Vec<(String, bool, f64)> = (0..10)
                .map(|i| if i == 0 && planted.is_some() { (format!("{:?}", planted.unwrap().0), true, planted.unwrap().1) } else { ("Unchanged".into(), false, 0.0) })
                .collect();
            (s, meta, Change { begin: slow_downs::BEGIN, end: slow_downs::BEGIN }, BlockLength::TEN_MINUTES, None)
        } else {
            let plan = releases::Plan { is_slow: if free { None } else { Some(k % 5 == 0) }, block_minutes: bm, wrong_classes: wrong };
            let rel = releases::release(seed * 100_000 + k as u64, &plan);
            let app = whole_application(rel.rollouts.iter().map(Vec::as_slice));
            let meta = rel.names.iter().map(|s| (format!("{:?}", s.kind), s.is_slow, s.rate)).collect();
            (rel.series, meta, Change { begin: releases::BEGIN, end: rel.end }, BlockLength::minutes(bm).unwrap(), app)
        };
        tg += t.elapsed().as_secs_f64();
        let t = std::time::Instant::now();
        let study = Study::new(&series, length, change).unwrap();
        for (i, (kind, slow, x)) in meta.iter().enumerate() {
            let subject = study.subject(i).unwrap();
            for look in Look::ALL {
                let f = subject.judge(look);
                let e = &f.evidence;
                let v = match f.verdict { Verdict::Slower { .. } => 2, Verdict::MixChanged { .. } => 1, Verdict::NoSlowdown { .. } => 0, _ => -1 };
                write!(out, "{k},{i},{kind},{},{x:.3},{},{v},{},{},{:.4}", u8::from(*slow), look.minutes(), e.requests_before, e.requests_after, e.unexplained).unwrap();
                for c in &e.changes { write!(out, ",{:.4},{:.4},{:.4}", c.effect, c.error, c.smaller_half).unwrap(); }
                for j in 0..4 { match &e.within_classes { Some(w) => write!(out, ",{:.4},{:.4}", w[j].effect, w[j].error).unwrap(), None => out.push_str(",nan,nan") } }
                writeln!(out, ",{}", app.map_or(0.0, |a| a.effect / a.error)).unwrap();
            }
        }
        tj += t.elapsed().as_secs_f64();
    }
    eprintln!("generate {tg:.2} s, judge {tj:.2} s");
    if let Ok(p) = std::env::var("OUT") { std::fs::write(p, out).unwrap(); }
}
