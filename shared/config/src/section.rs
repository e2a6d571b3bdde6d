//! A part of the file of which every key may be left out: what is set is kept apart from what it means with defaults.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::marker::PhantomData;

/// The keys of a `T` that are set. Has the schema of `T`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Section<T> {
    /// What is set.
    pub set: Map<String, Value>,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Section<T> {
    fn clone(&self) -> Self {
        Self { set: self.set.clone(), of: PhantomData }
    }
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self { set: Map::new(), of: PhantomData }
    }
}

impl<T: JsonSchema> JsonSchema for Section<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: DeserializeOwned> Section<T> {
    /// The value that this section gives on top of `below`, key by key; what neither sets is built in.
    pub fn over(&self, below: &Self) -> Result<T, serde_json::Error> {
        let merged = merge(Value::Object(below.set.clone()), &Value::Object(self.set.clone()));
        serde_json::from_value(merged)
    }
}

/// `above` on top of `below`: mappings are merged key by key, everything else is replaced.
pub(crate) fn merge(below: Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Object(mut merged), Value::Object(above)) => {
            for (key, value) in above {
                let under = merged.remove(key).unwrap_or(Value::Null);
                merged.insert(key.clone(), merge(under, value));
            }
            Value::Object(merged)
        }
        (_, above) => above.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<i32>().prop_map(|n| json!(n)), "[a-c]{0,3}".prop_map(|text| json!(text))];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn the_nearer_key_wins_and_the_others_stay() {
        let merged = merge(json!({"a": {"x": 1, "y": 2}, "b": [1, 2]}), &json!({"a": {"y": 3}, "b": [9]}));
        assert_eq!(merged, json!({"a": {"x": 1, "y": 3}, "b": [9]}));
    }

    proptest! {
        #[test]
        fn prop_merging_twice_is_merging_once(below in values(), above in values()) {
            let once = merge(below, &above);
            prop_assert_eq!(merge(once.clone(), &above), once);
        }

        #[test]
        fn prop_merging_with_itself_changes_nothing(value in values()) {
            prop_assert_eq!(merge(value.clone(), &value), value);
        }
    }
}
