using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Nightjar.Architecture.Tests;

/// <summary>What an assembly shows to its users, one line for each type and member, in an order that does not depend on the compiler.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    // What the compiler writes for every record; that the type is a record is said once.
    private static readonly string[] OfEveryRecord = ["Equals", "GetHashCode", "ToString", "Deconstruct", "PrintMembers", "<Clone>$", "op_Equality", "op_Inequality", "EqualityContract"];

    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(char)] = "char",
        [typeof(double)] = "double",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
    };

    public static string Of(Assembly assembly)
    {
        var listing = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().Where(type => !IsUnspeakable(type)).OrderBy(Name, StringComparer.Ordinal))
        {
            listing.Append(Head(type)).Append('\n');
            foreach (var (_, line) in Members(type).OrderBy(member => member.Name, StringComparer.Ordinal).ThenBy(member => member.Line, StringComparer.Ordinal))
            {
                listing.Append("    ").Append(line).Append('\n');
            }
        }

        return listing.ToString();
    }

    private static string Head(Type type)
    {
        var kind = type switch
        {
            { IsEnum: true } => $"enum {Name(type)} : {Name(Enum.GetUnderlyingType(type))}",
            { IsInterface: true } => $"interface {Name(type)}",
            _ when typeof(Delegate).IsAssignableFrom(type) => $"delegate {Name(type)}",
            { IsValueType: true } => $"{(IsReadOnly(type) ? "readonly " : "")}{(type.IsByRefLike ? "ref " : "")}{(IsRecord(type) ? "record " : "")}struct {Name(type)}",
            { IsAbstract: true, IsSealed: true } => $"static class {Name(type)}",
            _ => $"{(type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "")}{(IsRecord(type) ? "record" : "class")} {Name(type)}",
        };
        var parents = type.IsEnum || typeof(Delegate).IsAssignableFrom(type)
            ? []
            : new[] { type.BaseType }
                .Where(parent => parent is not null && parent != typeof(object) && parent != typeof(ValueType))
                .Concat(type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? [])
                    .Where(parent => parent.IsPublic && !(IsRecord(type) && parent.Name == typeof(IEquatable<>).Name))
                    .OrderBy(Name, StringComparer.Ordinal))
                .Select(parent => Name(parent!))
                .ToList();
        return parents.Count == 0 ? kind : $"{kind} : {string.Join(", ", parents)}";
    }

    private static IEnumerable<(string Name, string Line)> Members(Type type)
    {
        if (type.IsEnum)
        {
            return type.GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(field => (field.Name, $"{field.Name} = {Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture)}"));
        }

        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var call = type.GetMethod("Invoke")!;
            return [(call.Name, $"{Name(call.ReturnType)} ({Parameters(call)})")];
        }

        var isRecord = IsRecord(type);
        return type.GetMembers(Declared)
            .Where(member => !isRecord || !OfEveryRecord.Contains(member.Name) || !member.IsDefined(typeof(CompilerGeneratedAttribute)))
            .Select(member => (member.Name, Line: member switch
            {
                ConstructorInfo constructor when IsSeen(constructor) && !IsCopy(constructor, isRecord) => $"{Access(constructor)}new({Parameters(constructor)})",
                MethodInfo { IsSpecialName: false } method when IsSeen(method) => Signature(method),
                MethodInfo { IsSpecialName: true } method when IsSeen(method) && method.Name.StartsWith("op_", StringComparison.Ordinal) => Signature(method),
                PropertyInfo property => Property(property),
                FieldInfo field when field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly => Field(field),
                EventInfo { AddMethod: { } add } entry when IsSeen(add) => $"event {Name(entry.EventHandlerType!)} {entry.Name}",
                _ => null,
            }))
            .Where(member => member.Line is not null)
            .Select(member => (member.Name, member.Line!));
    }

    private static string Signature(MethodInfo method)
    {
        var generic = method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";
        return $"{Access(method)}{Kind(method)}{Name(method.ReturnType, Nullability.Create(method.ReturnParameter))} {method.Name}{generic}({Parameters(method)})";
    }

    private static string? Property(PropertyInfo property)
    {
        var getter = property.GetMethod is { } get && IsSeen(get) ? get : null;
        var setter = property.SetMethod is { } set && IsSeen(set) ? set : null;
        if ((getter ?? setter) is not { } shown)
        {
            return null;
        }

        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        var write = setter is null ? "" : setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;";
        var name = property.GetIndexParameters() is { Length: > 0 } ? $"this[{string.Join(", ", property.GetIndexParameters().Select(Parameter))}]" : property.Name;
        return $"{Access(shown)}{required}{Kind(shown)}{Name(property.PropertyType, Nullability.Create(property))} {name} {{{(getter is null ? "" : " get;")}{write} }}";
    }

    private static string Field(FieldInfo field) => field.IsLiteral
        ? $"const {Name(field.FieldType)} {field.Name} = {Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)}"
        : $"{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{Name(field.FieldType, Nullability.Create(field))} {field.Name}";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        var way = parameter.IsDefined(typeof(ParamCollectionAttribute)) || parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : !type.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        var optional = !parameter.HasDefaultValue ? "" : parameter.RawDefaultValue is null ? " = default" : $" = {Convert.ToString(parameter.RawDefaultValue, CultureInfo.InvariantCulture)}";
        return $"{way}{Name(type.IsByRef ? type.GetElementType()! : type, Nullability.Create(parameter))} {parameter.Name}{optional}";
    }

    private static string Kind(MethodInfo method) => method switch
    {
        { DeclaringType.IsInterface: true } => method.IsStatic ? "static " : "",
        { IsStatic: true } => "static ",
        { IsAbstract: true } => "abstract ",
        { IsVirtual: true } when method.GetBaseDefinition() != method => "override ",
        { IsVirtual: true, IsFinal: false } => "virtual ",
        _ => "",
    };

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static bool IsSeen(MethodBase method) => method.IsPublic || (method.DeclaringType is { IsSealed: false } && (method.IsFamily || method.IsFamilyOrAssembly));

    private static bool IsCopy(ConstructorInfo constructor, bool isRecord) =>
        isRecord && constructor.GetParameters() is [{ ParameterType: var only }] && only == constructor.DeclaringType;

    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Declared, [typeof(StringBuilder)]) is not null;

    private static bool IsReadOnly(Type type) => type.IsDefined(typeof(IsReadOnlyAttribute));

    // Where the compiler keeps what an extension block declares; the members themselves are listed with the class around it.
    private static bool IsUnspeakable(Type type) => type.FullName!.Contains('<', StringComparison.Ordinal);

    private static string Name(Type type) => Name(type, nullability: null);

    private static string Name(Type type, NullabilityInfo? nullability)
    {
        if (type.IsByRef)
        {
            return "ref " + Name(type.GetElementType()!, nullability?.ElementType);
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Name(value) + "?";
        }

        var question = nullability is { ReadState: NullabilityState.Nullable } && !type.IsValueType ? "?" : "";
        if (type.IsArray)
        {
            return $"{Name(type.GetElementType()!, nullability?.ElementType)}[]{question}";
        }

        if (Keywords.TryGetValue(type, out var keyword))
        {
            return keyword + question;
        }

        if (type.IsGenericParameter)
        {
            return type.Name + question;
        }

        var arguments = type.GetGenericArguments();
        var of = arguments.Length == 0
            ? ""
            : $"<{string.Join(", ", arguments.Select((argument, index) => Name(argument, nullability?.GenericTypeArguments.ElementAtOrDefault(index))))}>";
        var bare = type.Name.Split('`')[0] + of + question;
        return type.IsNested ? $"{Name(type.DeclaringType!)}.{bare}"
            : type.Namespace!.StartsWith("System", StringComparison.Ordinal) || type.Namespace.StartsWith("Microsoft", StringComparison.Ordinal) ? bare
            : $"{type.Namespace}.{bare}";
    }
}
