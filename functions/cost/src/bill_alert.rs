//! Tells people of a bill that grows too fast or will not stay within its budget. By the run that has read the bill of the day, so
//! once a day at most for an account, however many applications it has.

use domain::cost::bill_analysis::{BillAnalysis, Driver, Outlook, Week};
use domain::finding::Severity;
use domain::text::{chat, line, subject};
use engine::ports::{Message, Notifier, PortResult};
use engine::run::Run;
use serde_json::json;
use std::fmt::Write;

/// `detail-type` of the notice on the event bus.
pub const BILL: &str = "Maintainer Bill";

/// Tells people where there is something to tell.
///
/// # Errors
/// When they can't be told.
pub(crate) async fn tell(run: &Run, bill: &BillAnalysis, notifier: &dyn Notifier) -> PortResult<()> {
    let steep = bill.week.as_ref().filter(|week| week.is_steep);
    let over = bill.budget.filter(|budget| matches!(budget.outlook, Outlook::LikelyExceeds | Outlook::Exceeded));
    let headline = match (steep, over) {
        (Some(week), _) => growth(week),
        (None, Some(budget)) => {
            format!("the account's bill is likely to end the month at {:.0} % of its budget", budget.used_pct)
        }
        (None, None) => return Ok(()),
    };
    let text = text(&headline, steep, bill);
    notifier
        .notify(&Message {
            kind: BILL.to_owned(),
            severity: Severity::High,
            subject: subject(&format!("[maintainer] {headline}")),
            detail: json!({
                "version": 1, "execution_id": run.execution_id, "execution_arn": run.execution_arn,
                "severity": Severity::High, "reason": headline, "week": bill.week, "forecast": bill.forecast,
                "budget": bill.budget, "text": chat(&text),
            }),
            text,
        })
        .await
}

fn growth(week: &Week) -> String {
    let pct = week.growth_pct.map_or_else(String::new, |pct| format!(" by {pct:.0} %"));
    format!("the account's bill has grown{pct} week over week, from {} to {} USD", week.before, week.last)
}

fn text(headline: &str, steep: Option<&Week>, bill: &BillAnalysis) -> String {
    let mut text = String::new();
    let mut first = headline.chars();
    let headline: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
    let _infallible = writeln!(text, "{headline}.\n");
    if let Some(week) = steep {
        let _infallible = writeln!(text, "What has grown most:");
        for Driver { service, usage_type, before, last } in &week.drivers {
            let _infallible = writeln!(text, "- {}", line(&format!("{service}, {usage_type}: {before} → {last} USD")));
        }
        text.push('\n');
    }
    if let Some(forecast) = &bill.forecast {
        let budget = bill.budget.map_or_else(String::new, |budget| format!("; the budget is {} USD", budget.budget));
        let _infallible = writeln!(
            text,
            "The month will end at about {} USD ({} to {}){budget}.",
            forecast.likely, forecast.low, forecast.high
        );
    }
    let _infallible = writeln!(text, "Where to look: Cost Explorer, by usage type, the last 14 days by day.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::cost::bill_analysis::{Budget, Forecast};
    use domain::cost::money::UsdMicros;

    #[test]
    fn the_message_names_what_has_grown_and_where_the_month_ends() {
        let usd = |usd: i64| UsdMicros(usd * 1_000_000);
        let driver = Driver {
            service: "EC2 - Other".to_owned(),
            usage_type: "EUC1-NatGateway-Bytes\u{202e}".to_owned(),
            last: usd(41),
            before: usd(1),
        };
        let week =
            Week { last: usd(123), before: usd(83), growth_pct: Some(48.2), is_steep: true, drivers: vec![driver] };
        let bill = BillAnalysis {
            forecast: Some(Forecast { spent: usd(300), days_left: 9, low: usd(500), likely: usd(560), high: usd(600) }),
            budget: Some(Budget { budget: usd(400), used_pct: 140.0, outlook: Outlook::LikelyExceeds }),
            ..BillAnalysis::default()
        };
        let told = text(&growth(&week), Some(&week), &bill);
        assert_eq!(
            told,
            "The account's bill has grown by 48 % week over week, from 83.00 to 123.00 USD.\n\n\
             What has grown most:\n- EC2 - Other, EUC1-NatGateway-Bytes : 1.00 → 41.00 USD\n\n\
             The month will end at about 560.00 USD (500.00 to 600.00); the budget is 400.00 USD.\n\
             Where to look: Cost Explorer, by usage type, the last 14 days by day.\n"
        );
    }
}
