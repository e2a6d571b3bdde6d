//! Walks a parsed statement and collects what an index could help with. Conditions under OR count too: whether an index helps them the
//! planner says, who prices every candidate.

use domain::performance::shape::{Column, Comparison, Condition, Relation, Scope, Wrapper};
use pg_query::protobuf::{
    AExpr, AExprKind, ColumnRef, FuncCall, JoinExpr, NullTestType, SelectStmt, SortByDir, SubLink, SubLinkType,
    WithClause,
};
use pg_query::{Node, NodeEnum};

/// Adds the scopes of a statement.
pub(crate) fn statement(node: &NodeEnum, parent: Option<usize>, scopes: &mut Vec<Scope>) {
    match node {
        NodeEnum::SelectStmt(select) => self::select(select, parent, scopes),
        NodeEnum::UpdateStmt(update) => {
            let at = open(parent, scopes);
            with(update.with_clause.as_ref(), at, scopes);
            if let Some(relation) = &update.relation {
                relation_of(&NodeEnum::RangeVar(relation.clone()), at, scopes);
            }
            from(&update.from_clause, at, scopes);
            for target in &update.target_list {
                expression(target, at, scopes);
            }
            where_clause(update.where_clause.as_deref(), at, scopes);
        }
        NodeEnum::DeleteStmt(delete) => {
            let at = open(parent, scopes);
            with(delete.with_clause.as_ref(), at, scopes);
            if let Some(relation) = &delete.relation {
                relation_of(&NodeEnum::RangeVar(relation.clone()), at, scopes);
            }
            from(&delete.using_clause, at, scopes);
            where_clause(delete.where_clause.as_deref(), at, scopes);
        }
        NodeEnum::InsertStmt(insert) => {
            let at = open(parent, scopes);
            with(insert.with_clause.as_ref(), at, scopes);
            if let Some(relation) = &insert.relation {
                relation_of(&NodeEnum::RangeVar(relation.clone()), at, scopes);
            }
            if let Some(NodeEnum::SelectStmt(select)) = insert.select_stmt.as_ref().and_then(|node| node.node.as_ref())
            {
                self::select(select, None, scopes);
            }
        }
        _ => {}
    }
}

fn open(parent: Option<usize>, scopes: &mut Vec<Scope>) -> usize {
    scopes.push(Scope { parent, ..Scope::default() });
    scopes.len() - 1
}

fn with(clause: Option<&WithClause>, at: usize, scopes: &mut Vec<Scope>) {
    for node in clause.into_iter().flat_map(|clause| &clause.ctes) {
        if let Some(NodeEnum::CommonTableExpr(cte)) = &node.node
            && let Some(query) = cte.ctequery.as_ref().and_then(|query| query.node.as_ref())
        {
            statement(query, Some(at), scopes);
        }
    }
}

fn select(select: &SelectStmt, parent: Option<usize>, scopes: &mut Vec<Scope>) {
    if let (Some(left), Some(right)) = (&select.larg, &select.rarg) {
        // UNION and the like: each part is a query of its own.
        self::select(left, parent, scopes);
        self::select(right, parent, scopes);
        return;
    }
    let at = open(parent, scopes);
    with(select.with_clause.as_ref(), at, scopes);
    from(&select.from_clause, at, scopes);
    for target in &select.target_list {
        if let Some(NodeEnum::ResTarget(target)) = &target.node
            && let Some(value) = &target.val
        {
            if is_star(value) {
                scopes[at].has_star = true;
            } else {
                expression(value, at, scopes);
            }
        }
    }
    where_clause(select.where_clause.as_deref(), at, scopes);
    if let Some(having) = &select.having_clause {
        expression(having, at, scopes);
    }
    for node in select.group_clause.iter().chain(&select.distinct_clause) {
        expression(node, at, scopes);
        if let Some(column) = column(node) {
            scopes[at].group.push(column);
        }
    }
    let mut are_columns = true;
    for node in &select.sort_clause {
        let Some(NodeEnum::SortBy(sort)) = &node.node else { continue };
        let Some(by) = &sort.node else { continue };
        expression(by, at, scopes);
        match column(by) {
            Some(column) if are_columns => {
                let descending = sort.sortby_dir() == SortByDir::SortbyDesc;
                scopes[at].order.push((column, descending));
            }
            _ => are_columns = false,
        }
    }
    scopes[at].has_limit = select.limit_count.is_some();
    scopes[at].has_offset = select.limit_offset.is_some();
}

fn is_star(node: &Node) -> bool {
    let Some(NodeEnum::ColumnRef(column)) = &node.node else { return false };
    column.fields.iter().any(|field| matches!(field.node, Some(NodeEnum::AStar(_))))
}

fn from(nodes: &[Node], at: usize, scopes: &mut Vec<Scope>) {
    for node in nodes {
        if let Some(node) = &node.node {
            relation_of(node, at, scopes);
        }
    }
}

fn relation_of(node: &NodeEnum, at: usize, scopes: &mut Vec<Scope>) {
    match node {
        NodeEnum::RangeVar(table) => {
            let alias = table.alias.as_ref().map_or_else(|| table.relname.clone(), |alias| alias.aliasname.clone());
            let schema = Some(table.schemaname.clone()).filter(|schema| !schema.is_empty());
            scopes[at].relations.push(Relation { schema, name: table.relname.clone(), alias });
        }
        NodeEnum::JoinExpr(join) => {
            self::join(join, at, scopes);
        }
        NodeEnum::RangeSubselect(sub) => {
            if let Some(query) = sub.subquery.as_ref().and_then(|query| query.node.as_ref()) {
                statement(query, Some(at), scopes);
            }
        }
        NodeEnum::RangeFunction(_) => {}
        _ => {}
    }
}

fn join(join: &JoinExpr, at: usize, scopes: &mut Vec<Scope>) {
    for side in [&join.larg, &join.rarg] {
        if let Some(node) = side.as_ref().and_then(|side| side.node.as_ref()) {
            relation_of(node, at, scopes);
        }
    }
    if let Some(quals) = &join.quals {
        where_clause(Some(quals), at, scopes);
    }
    // USING (a): the column of that name in the last two relations.
    let names = join.using_clause.iter().filter_map(string);
    let last: Vec<String> = scopes[at].relations.iter().rev().take(2).map(|r| r.alias.clone()).collect();
    if let [right, left] = &last[..] {
        for name in names {
            let of = |alias: &String| Column { of: Some(alias.clone()), name: name.clone() };
            let (left, right) = (of(left), of(right));
            scopes[at].mentions.extend([left.clone(), right.clone()]);
            scopes[at].conditions.push(Condition::Join { left, right });
        }
    }
}

fn string(node: &Node) -> Option<String> {
    match &node.node {
        Some(NodeEnum::String(text)) => Some(text.sval.clone()),
        _ => None,
    }
}

/// Conditions, and everything that they mention.
fn where_clause(node: Option<&Node>, at: usize, scopes: &mut Vec<Scope>) {
    let Some(node) = node else { return };
    expression(node, at, scopes);
    conditions(node, at, scopes);
}

fn conditions(node: &Node, at: usize, scopes: &mut [Scope]) {
    match &node.node {
        Some(NodeEnum::BoolExpr(bool)) => {
            for arg in &bool.args {
                conditions(arg, at, scopes);
            }
        }
        Some(NodeEnum::AExpr(compare)) => self::compare(compare, at, scopes),
        Some(NodeEnum::NullTest(test)) => {
            if let Some(column) = test.arg.as_deref().and_then(column) {
                let how = match test.nulltesttype() {
                    NullTestType::IsNotNull => Comparison::IsNotNull,
                    _ => Comparison::IsNull,
                };
                scopes[at].conditions.push(Condition::Compare { column, how, wrapped: None });
            }
        }
        // `column IN (SELECT …)`: a join with what the subquery returns.
        Some(NodeEnum::SubLink(link)) => in_subquery(link, at, scopes),
        // A column that is a boolean itself.
        Some(NodeEnum::ColumnRef(of)) => {
            if let Some(column) = name(of) {
                scopes[at].conditions.push(Condition::Compare { column, how: Comparison::Equal, wrapped: None });
            }
        }
        _ => {}
    }
}

fn in_subquery(link: &SubLink, at: usize, scopes: &mut [Scope]) {
    let Some(left) = link.testexpr.as_deref().and_then(column) else { return };
    let Some(NodeEnum::SelectStmt(sub)) = link.subselect.as_ref().and_then(|sub| sub.node.as_ref()) else { return };
    let returned = sub.target_list.first().and_then(|target| match &target.node {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref().and_then(column),
        _ => None,
    });
    // Looked up by the column itself from either side.
    scopes[at].conditions.push(Condition::Compare { column: left, how: Comparison::Equal, wrapped: None });
    if let Some(returned) = returned {
        let inner = scopes.iter().rposition(|scope| scope.parent == Some(at) && scope.mentions.contains(&returned));
        if let Some(inner) = inner {
            let equal = Condition::Compare { column: returned, how: Comparison::Equal, wrapped: None };
            scopes[inner].conditions.push(equal);
        }
    }
}

fn compare(expr: &AExpr, at: usize, scopes: &mut [Scope]) {
    let operator = expr.name.last().and_then(string).unwrap_or_default();
    let how = match (expr.kind(), operator.as_str()) {
        (AExprKind::AexprOp | AExprKind::AexprOpAny | AExprKind::AexprIn, "=") => Comparison::Equal,
        (AExprKind::AexprOp, "<" | ">" | "<=" | ">=") => Comparison::Range,
        (AExprKind::AexprBetween | AExprKind::AexprBetweenSym, _) => Comparison::Range,
        (AExprKind::AexprLike | AExprKind::AexprIlike, "~~" | "~~*") => match &expr.rexpr {
            // A literal that begins with something; a parameter may begin with anything.
            Some(pattern) if begins_with_text(pattern) && expr.kind() == AExprKind::AexprLike => Comparison::Range,
            _ => Comparison::Contains,
        },
        (AExprKind::AexprOp, "@>" | "?" | "?&" | "?|") => Comparison::Holds,
        _ => return,
    };
    let (Some(left), right) = (expr.lexpr.as_deref(), expr.rexpr.as_deref()) else { return };
    let right_column = right.and_then(column);
    match (column(left), right_column) {
        (Some(left), Some(right)) if how == Comparison::Equal => {
            scopes[at].conditions.push(Condition::Join { left, right });
        }
        (Some(left), Some(right)) => {
            for column in [left, right] {
                scopes[at].conditions.push(Condition::Compare { column, how, wrapped: None });
            }
        }
        (Some(column), None) => scopes[at].conditions.push(Condition::Compare { column, how, wrapped: None }),
        (None, Some(column)) => scopes[at].conditions.push(Condition::Compare { column, how, wrapped: None }),
        (None, None) => {
            for side in [Some(left), right].into_iter().flatten() {
                if let Some((column, wrapper)) = wrapped(side) {
                    scopes[at].conditions.push(Condition::Compare { column, how, wrapped: Some(wrapper) });
                }
            }
        }
    }
}

fn begins_with_text(pattern: &Node) -> bool {
    match &pattern.node {
        Some(NodeEnum::AConst(constant)) => match &constant.val {
            Some(pg_query::protobuf::a_const::Val::Sval(text)) => !text.sval.starts_with(['%', '_']),
            _ => false,
        },
        Some(NodeEnum::TypeCast(cast)) => cast.arg.as_deref().is_some_and(begins_with_text),
        _ => false,
    }
}

/// A column inside a function call or a cast.
fn wrapped(node: &Node) -> Option<(Column, Wrapper)> {
    match &node.node {
        Some(NodeEnum::FuncCall(call)) => function(call),
        Some(NodeEnum::TypeCast(cast)) => {
            let column = cast.arg.as_deref().and_then(name_in)?;
            Some((column, Wrapper::Other))
        }
        _ => None,
    }
}

fn function(call: &FuncCall) -> Option<(Column, Wrapper)> {
    let name = call.funcname.last().and_then(string)?;
    let column = call.args.iter().find_map(self::column)?;
    let wrapper = match (name.as_str(), call.args.len()) {
        ("lower", 1) => Wrapper::Lower,
        ("upper", 1) => Wrapper::Upper,
        _ => Wrapper::Other,
    };
    Some((column, wrapper))
}

fn name_in(node: &Node) -> Option<Column> {
    match &node.node {
        Some(NodeEnum::ColumnRef(of)) => name(of),
        _ => None,
    }
}

/// A plain column; `((column))` and a cast of a constant are not.
fn column(node: &Node) -> Option<Column> {
    name_in(node)
}

fn name(of: &ColumnRef) -> Option<Column> {
    let names: Vec<String> = of.fields.iter().filter_map(string).collect();
    if names.len() != of.fields.len() {
        return None;
    }
    match &names[..] {
        [name] => Some(Column { of: None, name: name.clone() }),
        [.., of, name] => Some(Column { of: Some(of.clone()), name: name.clone() }),
        [] => None,
    }
}

/// Notes every column that an expression mentions, and opens the queries inside it.
fn expression(node: &Node, at: usize, scopes: &mut Vec<Scope>) {
    let mut all = |nodes: &[Node]| {
        for node in nodes {
            expression(node, at, scopes);
        }
    };
    match &node.node {
        Some(NodeEnum::ColumnRef(of)) => {
            if let Some(column) = name(of)
                && !scopes[at].mentions.contains(&column)
            {
                scopes[at].mentions.push(column);
            }
        }
        Some(NodeEnum::AExpr(expr)) => {
            for side in [&expr.lexpr, &expr.rexpr].into_iter().flatten() {
                expression(side, at, scopes);
            }
        }
        Some(NodeEnum::BoolExpr(bool)) => all(&bool.args),
        Some(NodeEnum::List(list)) => all(&list.items),
        Some(NodeEnum::AArrayExpr(array)) => all(&array.elements),
        Some(NodeEnum::RowExpr(row)) => all(&row.args),
        Some(NodeEnum::CoalesceExpr(coalesce)) => all(&coalesce.args),
        Some(NodeEnum::MinMaxExpr(extreme)) => all(&extreme.args),
        Some(NodeEnum::FuncCall(call)) => {
            all(&call.args);
            all(&call.agg_order);
            if let Some(filter) = &call.agg_filter {
                expression(filter, at, scopes);
            }
        }
        Some(NodeEnum::NullTest(test)) => {
            if let Some(arg) = &test.arg {
                expression(arg, at, scopes);
            }
        }
        Some(NodeEnum::BooleanTest(test)) => {
            if let Some(arg) = &test.arg {
                expression(arg, at, scopes);
            }
        }
        Some(NodeEnum::TypeCast(cast)) => {
            if let Some(arg) = &cast.arg {
                expression(arg, at, scopes);
            }
        }
        Some(NodeEnum::SortBy(sort)) => {
            if let Some(by) = &sort.node {
                expression(by, at, scopes);
            }
        }
        Some(NodeEnum::ResTarget(target)) => {
            if let Some(value) = &target.val {
                expression(value, at, scopes);
            }
        }
        Some(NodeEnum::CaseExpr(case)) => {
            all(&case.args);
            for part in [&case.arg, &case.defresult].into_iter().flatten() {
                expression(part, at, scopes);
            }
        }
        Some(NodeEnum::CaseWhen(when)) => {
            for part in [&when.expr, &when.result].into_iter().flatten() {
                expression(part, at, scopes);
            }
        }
        Some(NodeEnum::SubLink(link)) => {
            if let Some(test) = &link.testexpr {
                expression(test, at, scopes);
            }
            if let Some(query) = link.subselect.as_ref().and_then(|query| query.node.as_ref()) {
                let inner = scopes.len();
                statement(query, Some(at), scopes);
                let is_scalar = link.sub_link_type() == SubLinkType::ExprSublink;
                scopes.iter_mut().skip(inner).take(1).for_each(|scope| scope.is_scalar = is_scalar);
            }
        }
        _ => {}
    }
}
