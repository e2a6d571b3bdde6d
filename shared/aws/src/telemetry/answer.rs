//! A leaner reading of GetMetricData's answers than the SDK's own, which takes most of a large reading's CPU: it looks at each
//! number three times and grows each list step by step.
//!
//! Gives the SDK's own output type. Whatever looks unusual (errors, messages, another form) is left to the SDK's own reading.

use aws_sdk_cloudwatch::operation::get_metric_data::{GetMetricData, GetMetricDataOutput};
use aws_sdk_cloudwatch::types::{MetricDataResult, StatusCode};
use aws_smithy_cbor::Decoder;
use aws_smithy_cbor::data::Type;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, Error, Output,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;

/// Bytes of a number in double precision, and what they begin with (RFC 8949 §3.3).
const DOUBLE_BYTES: usize = 9;
const DOUBLE: u8 = 0xfb;
/// Bytes of a time in double precision, and what it begins with (RFC 8949 §3.4.2).
const TIME_BYTES: usize = 10;
const TIME: u8 = 0xc1;

/// Puts the leaner reading in the place of the SDK's own.
#[derive(Debug)]
pub(super) struct Lean;

#[dyn_dispatch_hint]
impl Intercept for Lean {
    fn name(&self) -> &'static str {
        "lean reading of GetMetricData"
    }

    fn modify_before_deserialization(
        &self,
        _: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(SharedResponseDeserializer::new(LeanDeserializer));
        Ok(())
    }
}

#[derive(Debug)]
struct LeanDeserializer;

impl DeserializeResponse for LeanDeserializer {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        cfg: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = response.body().bytes().filter(|_| response.status().as_u16() == 200);
        if let Some(output) = body.and_then(read) {
            return Ok(Output::erase(output));
        }
        let sdk = GetMetricData::new().config();
        match sdk.as_ref().and_then(|sdk| sdk.load::<SharedResponseDeserializer>()) {
            Some(sdk) => sdk.deserialize_nonstreaming_with_config(response, cfg),
            None => Err(OrchestratorError::other("the SDK has no reading of GetMetricData")),
        }
    }
}

/// The answer, or `None` when this is for the SDK to read. Labels and empty lists of messages are left out: nobody asks for them.
fn read(body: &[u8]) -> Option<GetMetricDataOutput> {
    let mut output = GetMetricDataOutput::builder();
    let decoder = &mut Decoder::new(body);
    members(decoder, |decoder, key| {
        match key {
            "MetricDataResults" => {
                let length = decoder.list().ok()?;
                let mut results = Vec::with_capacity(at_most(length, body.len()));
                each(decoder, length, |decoder| {
                    results.push(result(decoder, body)?);
                    Some(())
                })?;
                output = std::mem::take(&mut output).set_metric_data_results(Some(results));
            }
            "NextToken" => output = std::mem::take(&mut output).next_token(decoder.string().ok()?),
            "Messages" => no_messages(decoder)?,
            _ => decoder.skip().ok()?,
        }
        Some(())
    })?;
    (decoder.position() == body.len()).then(|| output.build())
}

fn result(decoder: &mut Decoder<'_>, body: &[u8]) -> Option<MetricDataResult> {
    let mut result = MetricDataResult::builder();
    members(decoder, |decoder, key| {
        let so_far = std::mem::take(&mut result);
        result = match key {
            "Id" => so_far.id(decoder.string().ok()?),
            "StatusCode" => so_far.status_code(StatusCode::from(decoder.str().ok()?.as_ref())),
            "Label" => decoder.str().ok().map(|_| so_far)?,
            "Timestamps" => so_far.set_timestamps(Some(list(decoder, body, time, |decoder| decoder.timestamp().ok())?)),
            "Values" => so_far.set_values(Some(list(decoder, body, double, |decoder| decoder.double().ok())?)),
            "Messages" => no_messages(decoder).map(|()| so_far)?,
            _ => decoder.skip().ok().map(|()| so_far)?,
        };
        Some(())
    })?;
    Some(result.build())
}

/// Goes through the members of a map that are not null.
fn members<'b>(decoder: &mut Decoder<'b>, mut member: impl FnMut(&mut Decoder<'b>, &str) -> Option<()>) -> Option<()> {
    let length = decoder.map().ok()?;
    each(decoder, length, |decoder| {
        let key = decoder.str().ok()?;
        if decoder.datatype().ok()? == Type::Null { decoder.null().ok() } else { member(decoder, key.as_ref()) }
    })
}

/// Goes through so many items, or through all up to the mark of the end.
fn each<'b>(
    decoder: &mut Decoder<'b>,
    length: Option<u64>,
    mut item: impl FnMut(&mut Decoder<'b>) -> Option<()>,
) -> Option<()> {
    let mut left = length;
    loop {
        match &mut left {
            Some(0) => return Some(()),
            Some(left) => *left -= 1,
            None if decoder.datatype().ok()? == Type::Break => return decoder.skip().ok(),
            None => {}
        }
        item(decoder)?;
    }
}

/// A list. Runs of items in the usual form, of so many bytes each, are read at once, the others by `sdk`.
fn list<'b, T, const BYTES: usize>(
    decoder: &mut Decoder<'b>,
    body: &[u8],
    usual: impl Fn(&[u8; BYTES]) -> Option<T>,
    sdk: impl Fn(&mut Decoder<'b>) -> Option<T>,
) -> Option<Vec<T>> {
    let length = decoder.list().ok()?;
    let mut left = length.map(usize::try_from).transpose().ok()?;
    let mut items = Vec::with_capacity(at_most(length, body.len() / BYTES));
    loop {
        let (at, before) = (decoder.position(), items.len());
        let (ahead, _) = body.get(at..)?.as_chunks();
        items.extend(ahead.iter().take(left.unwrap_or(ahead.len())).map_while(&usual));
        let run = items.len() - before;
        decoder.set_position(at + run * BYTES);
        left = left.map(|left| left - run);
        match left {
            Some(0) => return Some(items),
            None if decoder.datatype().ok()? == Type::Break => return decoder.skip().ok().map(|()| items),
            _ => items.push(sdk(decoder)?),
        }
        left = left.map(|left| left - 1);
    }
}

/// A length that is only claimed does not reserve more than the body could hold.
fn at_most(length: Option<u64>, most: usize) -> usize {
    length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0).min(most)
}

fn double(bytes: &[u8; DOUBLE_BYTES]) -> Option<f64> {
    match bytes {
        [DOUBLE, bytes @ ..] => Some(f64::from_be_bytes(*bytes)),
        _ => None,
    }
}

/// Whole seconds, and so few that no bit is lost.
fn time(bytes: &[u8; TIME_BYTES]) -> Option<DateTime> {
    let [TIME, bytes @ ..] = bytes else { return None };
    let seconds = double(bytes)?;
    (seconds.abs() < 1e12 && (seconds as i64) as f64 == seconds).then(|| DateTime::from_secs(seconds as i64))
}

/// An empty list of messages is passed over; one that says something is for the SDK to read.
fn no_messages(decoder: &mut Decoder<'_>) -> Option<()> {
    let length = decoder.list().ok()?;
    each(decoder, length, |_| None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode as Status;
    use aws_smithy_types::body::SdkBody;

    /// What the SDK itself makes of an answer, less what is left out here; `None` when it refuses it.
    fn by_sdk(body: &[u8]) -> Option<GetMetricDataOutput> {
        let response = HttpResponse::new(Status::try_from(200).unwrap(), SdkBody::from(body));
        let sdk = GetMetricData::new().config().unwrap();
        let own = sdk.load::<SharedResponseDeserializer>().unwrap();
        let output = own.deserialize_nonstreaming_with_config(&response, &ConfigBag::base()).ok()?;
        let mut output = output.downcast::<GetMetricDataOutput>().unwrap();
        for result in output.metric_data_results.iter_mut().flatten() {
            result.label = None;
            result.messages = result.messages.take().filter(|messages| !messages.is_empty());
        }
        output.messages = output.messages.filter(|messages| !messages.is_empty());
        Some(output)
    }

    /// Written by hand, because the SDK's encoder writes only some of the forms that are allowed.
    struct Body {
        bytes: Vec<u8>,
        random: fastrand::Rng,
    }

    impl Body {
        fn head(&mut self, kind: u8, count: usize) {
            match count {
                0..24 => self.bytes.push(kind << 5 | count as u8),
                _ => self.bytes.extend([kind << 5 | 25, (count >> 8) as u8, count as u8]),
            }
        }

        fn text(&mut self, text: &str) {
            self.head(3, text.len());
            self.bytes.extend(text.as_bytes());
        }

        /// A list or map of so many entries, with its length in front or a mark at its end.
        fn group(&mut self, kind: u8, count: usize, mut entry: impl FnMut(&mut Self, usize)) {
            let open = self.random.bool();
            if open {
                self.bytes.push(kind << 5 | 31)
            } else {
                self.head(kind, count)
            }
            (0..count).for_each(|index| entry(self, index));
            if open {
                self.bytes.push(0xff);
            }
        }

        fn number(&mut self) {
            let value = self.random.i32(-5..100_000);
            match self.random.u8(0..12) {
                0 => self.bytes.extend([0xf9, 0x3e, 0x00]),
                1 => self.bytes.extend([&[0xfa][..], &(value as f32).to_be_bytes()].concat()),
                2 => self.bytes.extend([&[DOUBLE][..], &f64::NAN.to_be_bytes()].concat()),
                3 => self.bytes.extend([&[DOUBLE][..], &(f64::from(value) * 0.37).to_be_bytes()].concat()),
                _ => self.bytes.extend([&[DOUBLE][..], &f64::from(value).to_be_bytes()].concat()),
            }
        }

        fn time(&mut self) {
            self.bytes.push(TIME);
            match self.random.u8(0..4) {
                0 => self.bytes.extend([&[0x1a][..], &self.random.u32(..).to_be_bytes()].concat()),
                _ => self.number(),
            }
        }

        fn result(&mut self) {
            let names = ["Id", "Label", "StatusCode", "Timestamps", "Values", "Messages", "New"];
            let count = self.random.usize(0..=names.len());
            self.group(5, count, |body, index| {
                body.text(names[index]);
                let points = body.random.usize(0..40);
                match names[index] {
                    _ if body.random.u8(0..20) == 0 => body.bytes.push(0xf6),
                    "Timestamps" => body.group(4, points, |body, _| body.time()),
                    "Values" => body.group(4, points, |body, _| body.number()),
                    "Messages" => body.group(4, 0, |_, _| ()),
                    _ => body.text("Complete"),
                }
            });
        }

        fn answer(seed: u64) -> Vec<u8> {
            let mut body = Self { bytes: Vec::new(), random: fastrand::Rng::with_seed(seed) };
            body.group(5, 3, |body, index| {
                body.text(["MetricDataResults", "NextToken", "Messages"][index]);
                let results = body.random.usize(0..4);
                match index {
                    0 => body.group(4, results, |body, _| body.result()),
                    1 => body.text("page-2"),
                    _ => body.group(4, 0, |_, _| ()),
                }
            });
            body.bytes
        }
    }

    fn shown(output: Option<&GetMetricDataOutput>) -> String {
        // As text, because NaN differs from itself.
        format!("{output:?}")
    }

    #[test]
    fn prop_reads_what_the_sdk_reads() {
        let mut read_here = 0;
        for seed in 0..3000 {
            let body = Body::answer(seed);
            let (lean, sdk) = (read(&body), by_sdk(&body));
            // What is refused here goes to the SDK.
            if lean.is_some() {
                assert_eq!(shown(lean.as_ref()), shown(sdk.as_ref()), "seed {seed}");
                read_here += 1;
            }
        }
        assert!(read_here > 2500, "{read_here} of 3000");
    }

    #[test]
    fn prop_reads_nothing_that_the_sdk_refuses() {
        for seed in 0..3000 {
            let mut body = Body::answer(seed);
            let mut random = fastrand::Rng::with_seed(seed);
            match random.bool() {
                true => body.truncate(random.usize(0..body.len())),
                false => {
                    let place = random.usize(0..body.len());
                    body[place] = random.u8(..);
                }
            }
            if let Some(lean) = read(&body) {
                assert_eq!(shown(Some(&lean)), shown(by_sdk(&body).as_ref()), "seed {seed}");
            }
        }
    }

    #[test]
    fn an_answer_with_messages_is_left_to_the_sdk() {
        let mut body = Body { bytes: Vec::new(), random: fastrand::Rng::with_seed(1) };
        body.group(5, 1, |body, _| {
            body.text("Messages");
            body.group(4, 1, |body, _| {
                body.group(5, 1, |body, _| {
                    body.text("Code");
                    body.text("Strange");
                });
            });
        });
        assert_eq!(read(&body.bytes), None);
        assert_eq!(by_sdk(&body.bytes).unwrap().messages()[0].code(), Some("Strange"));
    }
}
