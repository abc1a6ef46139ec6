//! What each phone saw, side by side.

use std::collections::BTreeMap;

use super::phone::Report;

pub(crate) fn print(reports: &BTreeMap<String, Report>, payloads: usize) {
    println!();
    println!(
        "{:<12}{:>7}{:>7}{:>10}{:>9}{:>8}{:>9}  killed and reopened",
        "phone", "scans", "pages", "private", "ratings", "intact", "seconds"
    );
    for (name, report) in reports {
        let kill = report.kill.as_ref().map_or_else(String::new, |kill| {
            format!("{} acknowledged, {} found again", kill.acknowledged, kill.resumed_at)
        });
        println!(
            "{name:<12}{:>7}{:>7}{:>10}{:>9}{:>8}{:>9.1}  {kill}",
            report.scans,
            report.pages,
            report.not_votable,
            report.ratings.len(),
            if report.intact { "yes" } else { "NO" },
            report.seconds,
        );
    }
    println!();
    println!("A few of the {payloads} codes, as every phone rates them (safe:unsafe, confidence, 95 % interval):");
    let Some(first) = reports.values().next() else { return };
    for (number, rating) in first.ratings.iter().step_by(first.ratings.len().div_ceil(6).max(1)) {
        let mut parts = rating.split(' ');
        let votes = parts.next().unwrap_or_default();
        let numbers: Vec<f64> =
            parts.filter_map(|bits| u64::from_str_radix(bits, 16).ok()).map(f64::from_bits).collect();
        let same = reports.values().all(|report| report.ratings.get(number) == Some(rating));
        if let [confidence, lower, upper] = numbers[..] {
            let verdict = if same { "agreed" } else { "DIFFERENT" };
            println!("  code {number:>4}  {votes:>5}  {confidence:.12}  [{lower:.4}, {upper:.4}]  {verdict}");
        }
    }
    println!();
}
